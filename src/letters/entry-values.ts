/** HL7 v3 values inside entries -> FHIR values; what has no FHIR form is `undefined`, never guessed. */
import type { CodeableConcept, Observation, Period, Quantity } from 'fhir/r4.js';
import { parseJson } from '../fhir/index.ts';
import {
  attribute,
  child,
  type Reading,
  readCode,
  readInterval,
  readTime,
  type TimeInterval,
  textOf,
  type XmlElement,
} from '../formats/index.ts';
import { concept } from './codes.ts';
import { element } from './element.ts';

const xsiType = '{http://www.w3.org/2001/XMLSchema-instance}type';

/** `xsi:type` without its prefix. */
export function typeOf(value: XmlElement): string {
  return (attribute(value, xsiType) ?? '').replace(/^.*:/, '');
}

/** A decimal as JSON writes it; its digits stay. */
function decimalText(text: string | undefined): string | undefined {
  const parts = /^([+-]?)0*(\d+)(\.\d+)?$/.exec((text ?? '').replace(/^([+-]?)\./, '$10.'));
  if (parts === null || (text ?? '').length > 30) return undefined;
  const [, sign = '', whole = '', fraction = ''] = parts;
  return `${sign === '-' ? '-' : ''}${whole}${fraction}`;
}

/** HL7 PQ. The unit is kept as it is sent: official samples hold some that are not UCUM. */
export function quantity(value: XmlElement | undefined): Quantity | undefined {
  const number = decimalText(attribute(value, 'value'));
  if (number === undefined) return undefined;
  const unit = attribute(value, 'unit');
  const rest = unit === undefined || unit === '1' ? '' : `,"unit":${JSON.stringify(unit)}`;
  return parseJson(`{"value":${number}${rest}}`) as Quantity;
}

export function period(time: TimeInterval | undefined): Period | undefined {
  return time && element<Period>({ start: time.start, end: time.end });
}

export function codeOf(parent: XmlElement | undefined, name: string): CodeableConcept | undefined {
  return concept(readCode(child(parent, name)));
}

/** Codes and the words for them; `undefined` when there is neither. */
export function named(coded: CodeableConcept | undefined, text: string | undefined): CodeableConcept | undefined {
  if (text === undefined) return coded;
  return { ...coded, text };
}

type Value = Pick<
  Observation,
  | 'valueString'
  | 'valueBoolean'
  | 'valueCodeableConcept'
  | 'valueQuantity'
  | 'valueInteger'
  | 'valueDateTime'
  | 'valuePeriod'
  | 'valueRange'
>;

const readers: Readonly<Record<string, (value: XmlElement, reading: Reading) => Value>> = {
  ST: (value) => ({ ...some('valueString', textOf(value)) }),
  ED: (value) => ({ ...some('valueString', textOf(value)) }),
  BL: (value) => {
    const said = attribute(value, 'value');
    return said === 'true' || said === 'false' ? { valueBoolean: said === 'true' } : {};
  },
  INT: (value) => {
    const said = attribute(value, 'value') ?? '';
    return /^-?\d{1,9}$/.test(said) ? { valueInteger: Number(said) } : {};
  },
  REAL: (value) => some('valueQuantity', quantity(value)),
  PQ: (value) => some('valueQuantity', quantity(value)),
  IVL_PQ: (value) => {
    const range = element<{ low?: Quantity; high?: Quantity }>({
      low: quantity(child(value, 'low')),
      high: quantity(child(value, 'high')),
    });
    return Object.keys(range).length === 0 ? {} : { valueRange: range };
  },
  TS: (value, reading) => some('valueDateTime', readTime(reading, value, 'warning')),
  IVL_TS: (value, reading) => some('valuePeriod', period(readInterval(reading, value, 'warning'))),
  ...Object.fromEntries(
    ['CD', 'CE', 'CV', 'CO', 'CS'].map((type) => [
      type,
      (value: XmlElement) => some('valueCodeableConcept', concept(readCode(value))),
    ]),
  ),
};

function some<K extends string, T>(name: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [name]: value } as Partial<Record<K, T>>);
}

/** The value of an observation as a choice of `value[x]`; empty when there is none that FHIR can hold. */
export function observationValue(observation: XmlElement, reading: Reading): Value {
  const value = child(observation, 'value');
  return value === undefined ? {} : (readers[typeOf(value)]?.(value, reading) ?? {});
}
