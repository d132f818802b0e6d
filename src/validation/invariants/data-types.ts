/** Invariants of the data types, https://hl7.org/fhir/R4/datatypes.html and metadatatypes.html. */
import type { Members } from '../../fhir/index.ts';
import { type Check, countIn, has, hasChoice, isAfter, objectIn, ucum } from './members.ts';

export const dataTypeInvariants: Readonly<Record<string, Check>> = {
  'Age age-1': (age) => hasUnit(age) && isUcum(age) && !(typeof age['value'] === 'number' && age['value'] <= 0),
  'Attachment att-1': (attachment) => !has(attachment, 'data') || has(attachment, 'contentType'),
  'ContactPoint cpt-2': (contact) => !has(contact, 'value') || has(contact, 'system'),
  'Count cnt-3': (count) =>
    hasUnit(count) && isUcum(count) && isWhole(count) && (!has(count, 'code') || count['code'] === '1'),
  'DataRequirement.codeFilter drq-1': (filter) => has(filter, 'path') !== has(filter, 'searchParam'),
  'DataRequirement.dateFilter drq-2': (filter) => has(filter, 'path') !== has(filter, 'searchParam'),
  'Distance dis-1': (distance) => hasUnit(distance) && isUcum(distance),
  'Duration drt-1': (duration) => !has(duration, 'code') || (duration['system'] === ucum && has(duration, 'value')),
  'Expression exp-1': (expression) => has(expression, 'expression') || has(expression, 'reference'),
  'Extension ext-1': (extension) => has(extension, 'extension') !== hasChoice(extension, 'value'),
  'Period per-1': (period) => !isAfter(period['start'], period['end']),
  'Quantity qty-3': (quantity) => !has(quantity, 'code') || has(quantity, 'system'),
  'Range rng-2': (range) => !isGreater(objectIn(range, 'low'), objectIn(range, 'high')),
  'Ratio rat-1': (ratio) =>
    has(ratio, 'numerator') === has(ratio, 'denominator') && (has(ratio, 'numerator') || has(ratio, 'extension')),
  'Timing.repeat tim-1': (repeat) => !has(repeat, 'duration') || has(repeat, 'durationUnit'),
  'Timing.repeat tim-2': (repeat) => !has(repeat, 'period') || has(repeat, 'periodUnit'),
  'Timing.repeat tim-4': (repeat) => !isNegative(repeat['duration']),
  'Timing.repeat tim-5': (repeat) => !isNegative(repeat['period']),
  'Timing.repeat tim-6': (repeat) => !has(repeat, 'periodMax') || has(repeat, 'period'),
  'Timing.repeat tim-7': (repeat) => !has(repeat, 'durationMax') || has(repeat, 'duration'),
  'Timing.repeat tim-8': (repeat) => !has(repeat, 'countMax') || has(repeat, 'count'),
  'Timing.repeat tim-9': (repeat) => !has(repeat, 'offset') || (has(repeat, 'when') && !isMealAlone(repeat['when'])),
  'Timing.repeat tim-10': (repeat) => !has(repeat, 'timeOfDay') || !has(repeat, 'when'),
  'TriggerDefinition trd-1': (trigger) => !has(trigger, 'data') || !hasChoice(trigger, 'timing'),
  'TriggerDefinition trd-2': (trigger) => !has(trigger, 'condition') || has(trigger, 'data'),
  'TriggerDefinition trd-3': holdsTriggerType,
  // Of any element that a SimpleQuantity is the type of.
  'sqt-1': (quantity) => !has(quantity, 'comparator'),
};

function hasUnit(quantity: Members): boolean {
  return has(quantity, 'code') || !has(quantity, 'value');
}

function isUcum(quantity: Members): boolean {
  return !has(quantity, 'system') || quantity['system'] === ucum;
}

function isWhole(count: Members): boolean {
  return typeof count['value'] !== 'number' || Number.isInteger(count['value']);
}

function isNegative(value: unknown): boolean {
  return typeof value === 'number' && value < 0;
}

/** Only where both are in the same unit: others are not compared. */
function isGreater(low: Members, high: Members): boolean {
  const isSameUnit = low['system'] === high['system'] && low['code'] === high['code'] && low['unit'] === high['unit'];
  return (
    isSameUnit && typeof low['value'] === 'number' && typeof high['value'] === 'number' && low['value'] > high['value']
  );
}

/** An offset is from an event; C, CM, CD and CV are meals without before or after. */
function isMealAlone(when: unknown): boolean {
  return Array.isArray(when) && when.length === 1 && ['C', 'CM', 'CD', 'CV'].includes(when[0] as string);
}

function holdsTriggerType(trigger: Members): boolean {
  const type = trigger['type'];
  if (type === 'named-event') return has(trigger, 'name');
  if (type === 'periodic') return hasChoice(trigger, 'timing');
  return typeof type !== 'string' || !type.startsWith('data-') || countIn(trigger, 'data') > 0;
}
