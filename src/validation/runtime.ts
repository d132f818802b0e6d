/**
 * What the generated validators call (`build/keywords.ts` writes the calls). One object, made once per validator and
 * handed to the generated module, so that the module imports nothing.
 */
import { type Definitions, isObject } from '../fhir/index.ts';
import { findInvariant } from './invariants/index.ts';
import type { Check } from './invariants/members.ts';
import { type CheckMembers, createMemberCheck, type MemberFault } from './members.ts';
import { type Format, formats } from './primitives.ts';

/** An error as ajv writes it, and as our keywords add it. */
export interface Fault {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface Runtime {
  readonly formats: Readonly<Record<string, Format>>;
  members(typeName: string): CheckMembers;
  binding(kind: string, valueSet: string): (data: never) => boolean;
  targets(types: readonly string[]): (data: never) => boolean;
  invariant(name: string): (data: never) => boolean;
  /** The faults found so far with one more, up to the limit. */
  add(faults: Fault[] | null, instancePath: string, keyword: string, params: Fault['params']): Fault[];
  /** Puts the faults of a part behind those already found, up to the limit. */
  join(faults: Fault[] | null, found: readonly Fault[] | null): Fault[] | null;
  /** Makes faults of what `members` found. */
  place(found: readonly MemberFault[], instancePath: string): readonly Fault[];
}

/** More are not looked for: the answer says that there may be more. */
export const faultsMax = 50;

export function createRuntime(definitions: Definitions): Runtime {
  return {
    formats,
    add,
    members: (typeName) => createMemberCheck(definitions, typeName),
    binding: (kind, valueSet) => createBindingCheck(definitions, kind, valueSet),
    targets: (types) => createTargetCheck(definitions, new Set(types)),
    invariant: getInvariant,
    join,
    place,
  };
}

function add(faults: Fault[] | null, instancePath: string, keyword: string, params: Fault['params']): Fault[] {
  if (faults === null) return [{ instancePath, keyword, params }];
  if (faults.length <= faultsMax) faults.push({ instancePath, keyword, params });
  return faults;
}

function join(faults: Fault[] | null, found: readonly Fault[] | null): Fault[] | null {
  if (faults === null || found === null) return faults ?? (found as Fault[] | null);
  for (let index = 0; index < found.length && faults.length <= faultsMax; index++) faults.push(found[index] as Fault);
  return faults;
}

function place(found: readonly MemberFault[], instancePath: string): readonly Fault[] {
  return found.map(({ kind, path, names }) => ({
    instancePath: instancePath + path,
    keyword: 'members',
    params: { kind, names },
  }));
}

interface Coding {
  readonly system?: unknown;
  readonly code?: unknown;
}

function createBindingCheck(definitions: Definitions, kind: string, valueSet: string): (data: unknown) => boolean {
  const codes = definitions.codes(valueSet) ?? new Set<unknown>();
  const systems = definitions.systems(valueSet);
  const holds = ({ system, code }: Coding): boolean => systems?.get(system as string)?.has(code as string) === true;
  if (kind === 'code') return (data) => (codes as ReadonlySet<unknown>).has(data);
  return (data) => {
    if (!isObject(data)) return true;
    const codings = data['coding'];
    // Text alone does not satisfy a required binding; an extension (data-absent-reason) may say why there is no code.
    if (!Array.isArray(codings)) return codings !== undefined || 'extension' in data;
    return codings.some((coding: unknown) => isObject(coding) && (holds(coding) || 'extension' in coding));
  };
}

const relativeReference = /^([A-Z][A-Za-z]+)(?:\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?|\?.+)$/;

/** The type that a literal reference tells (`Patient/1`, `Patient?identifier=...`), or that is stated, must be a target. */
function createTargetCheck(definitions: Definitions, types: ReadonlySet<string>): (data: unknown) => boolean {
  const isTarget = (type: unknown): boolean =>
    typeof type !== 'string' || types.has(type) || !definitions.resourceTypes.has(type);
  return (data) => {
    if (!isObject(data)) return true;
    const { reference, type: stated } = data;
    const type = typeof reference === 'string' ? relativeReference.exec(reference)?.[1] : undefined;
    return isTarget(type) && isTarget(stated);
  };
}

/** What is no object has the wrong form: that is reported elsewhere. */
function getInvariant(name: string): Check {
  const [source = '', key = ''] = name.split(' ');
  const check = findInvariant(source, key);
  if (check === undefined) throw new Error(`the generated validators name ${name}, which is not here: build again`);
  return (data) => !isObject(data) || check(data);
}
