/** Values against values: `fixed[x]` is the same, `pattern[x]` is the least (https://hl7.org/fhir/R4/elementdefinition.html). */
import { isObject, type Members, readUnit, ucumSystem } from '../../fhir/index.ts';

const depthMax = 50;

export function isSame(found: unknown, fixed: unknown, depth = 0): boolean {
  if (depth > depthMax) return false;
  if (Array.isArray(fixed) && Array.isArray(found))
    return fixed.length === found.length && fixed.every((item, index) => isSame(found[index], item, depth + 1));
  if (!isObject(fixed) || !isObject(found)) return found === fixed;
  const names = Object.keys(fixed);
  return (
    names.length === Object.keys(found).length && names.every((name) => isSame(found[name], fixed[name], depth + 1))
  );
}

/** Of arrays: each item of the pattern is matched by one that is there. */
export function matchesPattern(found: unknown, pattern: unknown, depth = 0): boolean {
  if (depth > depthMax) return false;
  if (Array.isArray(pattern))
    return (
      Array.isArray(found) &&
      pattern.every((item) => found.some((one: unknown) => matchesPattern(one, item, depth + 1)))
    );
  if (!isObject(pattern)) return found === pattern;
  return isObject(found) && Object.keys(pattern).every((name) => matchesPattern(found[name], pattern[name], depth + 1));
}

/** Undefined where the two cannot be compared. Dates by what both tell; quantities of one unit, or of UCUM units of one kind. */
export function compare(left: unknown, right: unknown): number | undefined {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string') return compareTexts(left, right);
  if (!isObject(left) || !isObject(right)) return undefined;
  if (left['system'] !== right['system']) return undefined;
  if (left['code'] === right['code']) return compare(left['value'], right['value']);
  return left['system'] === ucumSystem ? compare(baseValueOf(left, right), baseValueOf(right, left)) : undefined;
}

/** In the base units of its kind; undefined where the other is of another kind, or a unit is none of UCUM. */
function baseValueOf({ code, value }: Members, other: Members): number | undefined {
  if (typeof code !== 'string' || typeof other['code'] !== 'string' || typeof value !== 'number') return undefined;
  const unit = readUnit(code);
  return unit?.base === readUnit(other['code'])?.base ? unit?.toBase(value) : undefined;
}

function compareTexts(left: string, right: string): number {
  if (left.includes('T') && right.includes('T')) return Date.parse(left) - Date.parse(right);
  const length = Math.min(left.length, right.length);
  const [a, b] = [left.slice(0, length), right.slice(0, length)];
  return a === b ? 0 : a < b ? -1 : 1;
}
