/** Functions of the quick way, each as the library has it. Those that are missing here are left to the library. */
import { kindOf } from './fhirpath-functions.ts';
import {
  computed,
  type Frame,
  isTrue,
  type Item,
  type Items,
  none,
  notEvaluable,
  onlyNumber,
  onlyText,
  type Quick,
  readTruth,
  spend,
  truth,
} from './fhirpath-quick-items.ts';
import { formatLocal, localDay, readTimeSpan } from './fhirpath-time.ts';
import {
  differentTypes,
  failure,
  moveDate,
  oneDateAndNumberExpected,
  oneValueExpected,
  readDate,
  referenceKey,
} from './fhirpath-values.ts';

/** `input` is what stands before the dot. */
export type QuickFunction = (input: Items, frame: Frame, operands: readonly Quick[]) => Items;

export const quickFunctions: Readonly<Record<string, QuickFunction>> = {
  where: (input, frame, [criterion]) => keep(input, frame, criterion),
  exists: (input, frame, [criterion]) => truth(keep(input, frame, criterion).length > 0),
  all: (input, frame, [criterion]) => truth(keep(input, frame, criterion).length === input.length),
  select: (input, { run }, [projection = () => none]) => {
    spend(run, input.length);
    const found = input.flatMap((item, index) => projection({ self: [item], index, run }));
    spend(run, found.length);
    return found;
  },
  iif: (input, { run, index }, [test = () => none, then = () => none, otherwise = () => none]) => {
    const frame = { self: input, index, run };
    return isTrue(test(frame)) ? then(frame) : otherwise(frame);
  },
  empty: (input) => truth(input.length === 0),
  not: (input) => {
    const value = readTruth(input);
    return value === undefined ? none : truth(!value);
  },
  count: (input) => computed(input.length, 'System.Integer'),
  first: (input) => input.slice(0, 1),
  last: (input) => input.slice(-1),
  tail: (input) => input.slice(1),
  skip: (input, frame, [count = () => none]) => input.slice(Math.max(onlyNumber(count(frame)) ?? 0, 0)),
  take: (input, frame, [count = () => none]) => input.slice(0, Math.max(onlyNumber(count(frame)) ?? 0, 0)),
  distinct: (input, { run }) => {
    spend(run, input.length);
    return unique(input);
  },
  union: (input, frame, [other = () => none]) => unique(together(input, other(frame), frame)),
  combine: (input, frame, [other = () => none]) => together(input, other(frame), frame),
  intersect: (input, frame, [other = () => none]) => {
    const others = other(frame);
    spend(frame.run, input.length + others.length);
    const keys = new Set(others.map(keyOf));
    return unique(input.filter((item) => keys.has(keyOf(item))));
  },
  min: (input, frame) => extreme(input, frame, (candidate, best) => candidate < best),
  max: (input, frame) => extreme(input, frame, (candidate, best) => candidate > best),
  startsWith: compareTexts((subject, part) => subject.startsWith(part)),
  endsWith: compareTexts((subject, part) => subject.endsWith(part)),
  contains: compareTexts((subject, part) => subject.includes(part)),
  upper: changeText((subject) => subject.toUpperCase()),
  lower: changeText((subject) => subject.toLowerCase()),
  substring: (input, frame, [start = () => none, length]) => {
    const subject = onlyText(input);
    const from = onlyNumber(start(frame));
    if (subject === undefined || from === undefined || from < 0 || from >= subject.length) return none;
    const size = length === undefined ? undefined : onlyNumber(length(frame));
    return computed(
      size === undefined ? subject.slice(from) : subject.slice(from, from + Math.max(size, 0)),
      'System.String',
    );
  },
  toString: (input: Items) => {
    const [item] = input;
    if (input.length > 1) throw failure(oneValueExpected);
    const value = item?.value ?? undefined;
    if (value === undefined) return none;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw failure(notEvaluable);
    return computed(String(value), 'System.String');
  },
  toDate: (input, { run }) => {
    const text = onlyText(input);
    const span = text === undefined ? undefined : readTimeSpan(text, run.moment.dates);
    if (text === undefined || span === undefined) return none;
    const day = span.precision === 'instant' ? localDay(span.fromMs, run.moment.dates) : text;
    return computed(day, 'System.Date');
  },
  now: (_input, { run }) => computed(formatLocal(run.moment.nowMs, run.moment.dates), 'System.DateTime'),
  today: (_input, { run }) => computed(localDay(run.moment.nowMs, run.moment.dates), 'System.Date'),
  plusDays: (input, frame, [count = () => none]) => {
    const days = onlyNumber(count(frame));
    const [date] = input;
    if (date === undefined || days === undefined) return none;
    if (input.length > 1) throw failure(oneDateAndNumberExpected);
    const text = moveDate(date.value, days, 'day', frame.run.moment.dates);
    return computed(text, text.includes('T') ? 'System.DateTime' : 'System.Date');
  },
  referenceKey: (input) =>
    input.flatMap(({ value }) => {
      const key = referenceKey(value);
      return key === undefined ? none : computed(key, 'System.String');
    }),
};

export function unique(items: Items): Items {
  if (items.length < 2) return items;
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = keyOf(item);
    return !seen.has(key) && seen.add(key);
  });
}

function keyOf({ value, type }: Item): string {
  return `${kindOf(type)} ${stableText(value)}`;
}

/** JSON with the members of objects in one order. Depth is that of a parsed resource, which is bounded. */
function stableText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(stableText).join()}]`;
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([name, member]) => `${name}:${stableText(member)}`).join()}}`;
}

function together(input: Items, others: Items, { run }: Frame): Items {
  spend(run, input.length + others.length);
  return [...input, ...others];
}

function keep(input: Items, { run }: Frame, criterion: Quick | undefined): Items {
  if (criterion !== undefined) spend(run, input.length);
  return criterion === undefined
    ? input
    : input.filter((item, index) => isTrue(criterion({ self: [item], index, run })));
}

function compareTexts(holds: (subject: string, part: string) => boolean): QuickFunction {
  return (input, frame, [operand = () => none]) => {
    const subject = onlyText(input);
    const part = onlyText(operand(frame));
    return subject === undefined || part === undefined ? none : truth(holds(subject, part));
  };
}

function changeText(change: (subject: string) => string): QuickFunction {
  return (input) => {
    const subject = onlyText(input);
    return subject === undefined ? none : computed(change(subject), 'System.String');
  };
}

/** The first of the least (or greatest) items, as the item it is, so that it still knows its resource. */
function extreme(
  input: Items,
  { run }: Frame,
  isBetter: (candidate: string | number, best: string | number) => boolean,
): Items {
  let best: { readonly item: Item; readonly rank: string | number } | undefined;
  for (const item of input) {
    const rank = kindOf(item.type) === 'date' ? readDate(item.value, run.moment.dates).fromMs : item.value;
    if (typeof rank !== 'string' && typeof rank !== 'number') throw failure(differentTypes);
    if (best === undefined || isBetter(rank, best.rank)) best = { item, rank };
  }
  return best === undefined ? none : [best.item];
}
