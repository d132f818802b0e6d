/**
 * The digits of decimals (https://hl7.org/fhir/R4/json.html#decimal: `1.50` is not `1.5`), in two forms.
 *
 * At rest they stand beside the number, on its parent object under the symbol `digits`: invisible to validators,
 * FHIRPath and JSON.stringify, copied by spread. In motion, where values change their parents (patches, XML), each
 * such number is an ExactNumber, a leaf that carries its own digits: `exposeDigits` copies a value into that form,
 * `hideDigits` turns it back.
 */

/** On an object: names of members -> the digits as received. On its ancestors: an empty record, "look below". */
export const digits = Symbol('digits');
export type Container = Record<string, unknown> & { [digits]?: Record<string, string> };

/** A number that JavaScript would print with other digits. A class, so that no object from outside can be one. */
export class ExactNumber {
  readonly digits: string;

  constructor(text: string) {
    this.digits = text;
  }

  toJSON(): number {
    return Number(this.digits);
  }
}

const plainNumber = /^(?:0|-?[1-9]\d{0,14})$/;

/** Whether JavaScript would print this number (by the grammar of JSON) with other digits. */
export function isUnusual(number: string): boolean {
  return !plainNumber.test(number) && String(Number(number)) !== number;
}

/** The number of a text that follows the grammar of JSON. */
export function toExact(text: string): number | ExactNumber {
  return isUnusual(text) ? new ExactNumber(text) : Number(text);
}

/** The digits kept for a member; none where a spread has given the member another value since. */
export function digitsOf(container: object, name: string | number): string | undefined {
  const text = (container as Container)[digits]?.[name];
  return text !== undefined && Number(text) === (container as Container)[name] ? text : undefined;
}

/** A deep copy in which numbers that need their digits are leaves of their own. */
export function exposeDigits(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value;
  const expose = (name: string | number, member: unknown): unknown => {
    const text = digitsOf(value, name);
    return text === undefined ? exposeDigits(member) : new ExactNumber(text);
  };
  if (Array.isArray(value)) return value.map((item, index) => expose(index, item));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, expose(name, member)]));
}

/** Puts the digits back beside their numbers, in place; answers the same value. */
export function hideDigits<Value>(value: Value): Value {
  hideBelow(value);
  return value;
}

function hideBelow(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const container = value as Container;
  let isFound = false;
  for (const [name, member] of Object.entries(container)) {
    if (member instanceof ExactNumber) {
      container[name] = Number(member.digits);
      container[digits] ??= {};
      container[digits][name] = member.digits;
      isFound = true;
    } else if (hideBelow(member)) isFound = true;
  }
  if (isFound) container[digits] ??= {};
  return isFound;
}
