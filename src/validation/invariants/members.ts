/**
 * How the invariants look at an element. They run on data of any form, before anything else has been found right:
 * what has the wrong form is reported elsewhere and counts as absent here.
 */
import { isObject, type Members } from '../../fhir/index.ts';

/** True when the invariant holds. */
export type Check = (data: Members) => boolean;

const nothing: Members = {};

/** FHIRPath exists(): a primitive with nothing but an extension is there too. */
export function has(data: Members, name: string): boolean {
  return data[name] !== undefined || data[`_${name}`] !== undefined;
}

/** Of a choice: `value` is there as `valueQuantity`, say. */
export function hasChoice(data: Members, name: string): boolean {
  for (const member in data) {
    const start = member.charCodeAt(0) === underscore ? 1 : 0;
    if (!member.startsWith(name, start)) continue;
    const next = member.charCodeAt(start + name.length);
    if (next >= upperA && next <= upperZ) return true;
  }
  return false;
}

const underscore = 95;
const upperA = 65;
const upperZ = 90;

export function objectIn(data: Members, name: string): Members {
  return asObject(data[name]);
}

export function asObject(value: unknown): Members {
  return isObject(value) ? value : nothing;
}

export function itemsIn(data: Members, name: string): readonly Members[] {
  const value = data[name];
  return Array.isArray(value) ? value.map(asObject) : [];
}

export function countIn(data: Members, name: string): number {
  const value = data[name];
  return Array.isArray(value) ? value.length : Number(has(data, name));
}

export function hasCoding(concept: Members, system: string, codes: readonly string[]): boolean {
  return itemsIn(concept, 'coding').some(
    (coding) => coding['system'] === system && codes.includes(coding['code'] as string),
  );
}

/**
 * Whether one FHIR date or dateTime is surely after another. Where one says less than the other, they are compared as
 * far as both go: `2026-03` is not after `2026-03-02`.
 */
export function isAfter(left: unknown, right: unknown): boolean {
  if (typeof left !== 'string' || typeof right !== 'string') return false;
  // Of one form and one offset, the texts are in the order of the instants: that spares reading them.
  if (left.length === 25 && right.length === 25 && left.endsWith(right.slice(19))) return left > right;
  if (left.includes('T') && right.includes('T')) return Date.parse(left) > Date.parse(right);
  const length = Math.min(left.length, right.length, 10);
  return left.slice(0, length) > right.slice(0, length);
}

export const ucum = 'http://unitsofmeasure.org';
