/**
 * The functions a rule may call: an allow-list with what each expects and yields. What is not here is refused when the
 * expression is compiled: `resolve`, `memberOf` and `conformsTo` reach outside, `trace` has side effects, `repeat`,
 * `descendants` and `children` are unbounded, `aggregate` and `defineVariable` hide what an expression means.
 */

/** What an operand may be; every type of FHIR and of FHIRPath belongs to one kind. */
export type Kind = 'boolean' | 'string' | 'number' | 'date' | 'time' | 'quantity' | 'reference' | 'complex';

/**
 * `criterion`: a condition on each item. `projection`: any expression on each item. `branch`, `test`: of `iif`.
 * `url`: the literal url of an extension. `pattern`: a literal regular expression. `type`: the name of a type.
 */
export type Parameter =
  | 'criterion'
  | 'projection'
  | 'test'
  | 'branch'
  | 'type'
  | 'url'
  | 'pattern'
  | 'string'
  | 'number'
  | 'collection';

/** `same`: what came in; `item`: one of what came in; others name a type. */
export type Result =
  | 'same'
  | 'item'
  | 'projection'
  | 'branches'
  | 'joined'
  | 'narrowed'
  | 'Extension'
  | 'System.Boolean'
  | 'System.Integer'
  | 'System.Decimal'
  | 'System.String'
  | 'System.Strings'
  | 'System.Date'
  | 'System.DateTime'
  | 'System.Time'
  | 'System.Quantity';

export interface FunctionSignature {
  readonly input: 'any' | readonly Kind[];
  readonly parameters: readonly Parameter[];
  /** How many of the parameters may be left out, from the end. */
  readonly optional: number;
  readonly result: Result;
}

const text: readonly Kind[] = ['string'];
const number: readonly Kind[] = ['number'];

export const functionSignatures: ReadonlyMap<string, FunctionSignature> = new Map(
  Object.entries({
    exists: takes('any', ['criterion'], 'System.Boolean', 1),
    empty: takes('any', [], 'System.Boolean'),
    all: takes('any', ['criterion'], 'System.Boolean'),
    allTrue: takes(['boolean'], [], 'System.Boolean'),
    anyTrue: takes(['boolean'], [], 'System.Boolean'),
    allFalse: takes(['boolean'], [], 'System.Boolean'),
    anyFalse: takes(['boolean'], [], 'System.Boolean'),
    subsetOf: takes('any', ['collection'], 'System.Boolean'),
    supersetOf: takes('any', ['collection'], 'System.Boolean'),
    isDistinct: takes('any', [], 'System.Boolean'),
    not: takes(['boolean'], [], 'System.Boolean'),
    hasValue: takes('any', [], 'System.Boolean'),
    count: takes('any', [], 'System.Integer'),

    where: takes('any', ['criterion'], 'same'),
    select: takes('any', ['projection'], 'projection'),
    ofType: takes('any', ['type'], 'narrowed'),
    as: takes('any', ['type'], 'narrowed'),
    is: takes('any', ['type'], 'System.Boolean'),
    extension: takes('any', ['url'], 'Extension'),
    distinct: takes('any', [], 'same'),
    first: takes('any', [], 'item'),
    last: takes('any', [], 'item'),
    single: takes('any', [], 'item'),
    tail: takes('any', [], 'same'),
    skip: takes('any', ['number'], 'same'),
    take: takes('any', ['number'], 'same'),
    union: takes('any', ['collection'], 'joined'),
    combine: takes('any', ['collection'], 'joined'),
    intersect: takes('any', ['collection'], 'same'),
    exclude: takes('any', ['collection'], 'same'),
    iif: takes('any', ['test', 'branch', 'branch'], 'branches', 1),

    min: takes(['number', 'string', 'date'], [], 'item'),
    max: takes(['number', 'string', 'date'], [], 'item'),
    sum: takes(number, [], 'item'),
    avg: takes(number, [], 'System.Decimal'),
    abs: takes(number, [], 'item'),
    ceiling: takes(number, [], 'System.Integer'),
    floor: takes(number, [], 'System.Integer'),
    truncate: takes(number, [], 'System.Integer'),
    round: takes(number, ['number'], 'System.Decimal', 1),

    startsWith: takes(text, ['string'], 'System.Boolean'),
    endsWith: takes(text, ['string'], 'System.Boolean'),
    contains: takes(text, ['string'], 'System.Boolean'),
    matches: takes(text, ['pattern'], 'System.Boolean'),
    indexOf: takes(text, ['string'], 'System.Integer'),
    length: takes(text, [], 'System.Integer'),
    substring: takes(text, ['number', 'number'], 'System.String', 1),
    upper: takes(text, [], 'System.String'),
    lower: takes(text, [], 'System.String'),
    trim: takes(text, [], 'System.String'),
    replace: takes(text, ['string', 'string'], 'System.String'),
    split: takes(text, ['string'], 'System.Strings'),
    join: takes(text, ['string'], 'System.String', 1),

    toString: takes(['string', 'number', 'boolean', 'date', 'time', 'quantity'], [], 'System.String'),
    toInteger: takes(['string', 'number', 'boolean'], [], 'System.Integer'),
    toDecimal: takes(['string', 'number', 'boolean'], [], 'System.Decimal'),
    toBoolean: takes(['string', 'number', 'boolean'], [], 'System.Boolean'),
    toQuantity: takes(['string', 'number', 'quantity'], [], 'System.Quantity'),
    toDate: takes(['string', 'date'], [], 'System.Date'),
    toDateTime: takes(['string', 'date'], [], 'System.DateTime'),

    now: takes('any', [], 'System.DateTime'),
    today: takes('any', [], 'System.Date'),
    timeOfDay: takes('any', [], 'System.Time'),
    referenceKey: takes(['reference', 'string'], [], 'System.Strings'),
    plusDays: takes(['date'], ['number'], 'item'),
  } satisfies Record<string, FunctionSignature>),
);

function takes(
  input: FunctionSignature['input'],
  parameters: readonly Parameter[],
  result: Result,
  optional = 0,
): FunctionSignature {
  return { input, parameters, optional, result };
}

const kinds: Readonly<Record<string, Kind>> = {
  boolean: 'boolean',
  string: 'string',
  code: 'string',
  id: 'string',
  markdown: 'string',
  uri: 'string',
  url: 'string',
  canonical: 'string',
  oid: 'string',
  uuid: 'string',
  base64Binary: 'string',
  xhtml: 'string',
  integer: 'number',
  positiveInt: 'number',
  unsignedInt: 'number',
  decimal: 'number',
  date: 'date',
  dateTime: 'date',
  instant: 'date',
  time: 'time',
  Quantity: 'quantity',
  Age: 'quantity',
  Count: 'quantity',
  Distance: 'quantity',
  Duration: 'quantity',
  Reference: 'reference',
  'System.Boolean': 'boolean',
  'System.String': 'string',
  'System.Integer': 'number',
  'System.Decimal': 'number',
  'System.Date': 'date',
  'System.DateTime': 'date',
  'System.Time': 'time',
  'System.Quantity': 'quantity',
};

export function kindOf(type: string): Kind {
  return kinds[type] ?? 'complex';
}
