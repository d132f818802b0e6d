/**
 * Quantities with UCUM units in one unit per kind (https://hl7.org/fhir/R4/search.html#quantity): 5.4 mg and 0.0054 g get the same index
 * row. A conversion by the UCUM library takes tens of microseconds and records use few units, so each unit is asked about once.
 */
import ucumPackage from '@lhncbc/ucum-lhc';

export const ucumSystem = 'http://unitsofmeasure.org';

export interface CanonicalUnit {
  /** Base units with their exponents, `g1.m-3`: no UCUM code looks like that with `=` before it. */
  readonly base: string;
  toBase(value: number): number;
}

/** `undefined` for what is no UCUM code, what has no base units (`[iU]`), and scales that run backwards (`[pH]`): compared as written. */
export type UnitReader = (code: string) => CanonicalUnit | undefined;

const unitsKeptMax = 5000;
/** For one unit. */
const valuesKeptMax = 1000;

export function createUnitReader(): UnitReader {
  const known = new Map<string, CanonicalUnit | undefined>();
  return (code) => {
    if (known.has(code)) return known.get(code);
    if (known.size >= unitsKeptMax) known.clear();
    const unit = readUnit(code);
    known.set(code, unit);
    return unit;
  };
}

interface Conversion {
  readonly magnitude: number;
  readonly base: string;
  readonly isSpecial: boolean;
}

/** One unit, asked about anew each time. */
export function readUnit(code: string): CanonicalUnit | undefined {
  const [zero, one] = [convert(code, 0), convert(code, 1)];
  if (zero === undefined || one === undefined || one.magnitude <= zero.magnitude) return undefined;
  const { base, isSpecial, magnitude } = one;
  if (!isSpecial) return { base, toBase: (value) => round(value * magnitude) };
  return { base, toBase: remembered((value) => round(convert(code, value)?.magnitude ?? Number.NaN)) };
}

/** Of a scale that is no multiple of its base (degrees Celsius) each value must be asked about, and few differ. */
function remembered(convertOne: (value: number) => number): (value: number) => number {
  const known = new Map<number, number>();
  return (value) => {
    const there = known.get(value);
    if (there !== undefined) return there;
    if (known.size >= valuesKeptMax) known.clear();
    const converted = convertOne(value);
    known.set(value, converted);
    return converted;
  };
}

const converter = ucumPackage.UcumLhcUtils.getInstance();

function convert(code: string, value: number): Conversion | undefined {
  const { status, magnitude, unitToExp, fromUnitIsSpecial } = converter.convertToBaseUnits(code, value);
  if (status !== 'succeeded' || magnitude === undefined || !Number.isFinite(magnitude)) return undefined;
  const base = Object.entries(unitToExp ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([unit, exponent]) => `${unit}${exponent}`)
    .join('.');
  return { magnitude, base, isSpecial: fromUnitIsSpecial === true };
}

const digitsKept = 12;

/** The same quantity in two units differs in the last bits of its product; nothing is measured so finely. */
function round(value: number): number {
  return Number(value.toPrecision(digitsKept));
}
