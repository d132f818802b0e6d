/** Inputs that nobody would send on purpose: right ones with pieces cut out, doubled, put in, turned, or blown up. */
import fc from 'fast-check';

/** What is put in: signs with a meaning somewhere, numbers at their edges, characters that few expect. */
const pieces = [
  ...[
    '',
    ' ',
    '\n',
    '\r',
    '\t',
    '\u0000',
    '\u0007',
    '\u000b',
    '\u001c',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\ud800',
    '\u202e',
    'é',
    '😀',
  ],
  ...[
    '<',
    '>',
    '&',
    '"',
    "'",
    '`',
    '\\',
    '/',
    '|',
    '^',
    '~',
    '#',
    '%',
    '$',
    ',',
    ';',
    ':',
    '=',
    '?',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '.',
    '..',
    '-',
    '--',
  ],
  ...[
    'null',
    'true',
    '{}',
    '[]',
    '""',
    '[[',
    '{"',
    '{"a":',
    '"resourceType":"Patient"',
    '"__proto__":{',
    '"contained":[',
    '\\u0000',
    '\\ud800',
    '\\u',
  ],
  ...[
    '<a>',
    '</a>',
    '<!DOCTYPE a>',
    '<![CDATA[',
    ']]>',
    '<!--',
    '<?x?>',
    '&lt;',
    '&#0;',
    '&x;',
    'xmlns=""',
    'nullFlavor="UNK" ',
    'xsi:type="PQ" ',
  ],
  ...['\rOBX|', '\rPID|', '\rMSH|', '\\X0B\\', '\\.br\\', '&&', '^^^', '|||', '\u001c\r'],
  ...[
    '\r\n\r\n',
    '--=_suture_0001',
    'Content-Type: ',
    'Content-Transfer-Encoding: base64\r\n',
    '=?utf-8?B?',
    '=?utf-8?Q?=0D=0A?=',
    '<@>',
  ],
  ...['PK\u0003\u0004', 'PK\u0005\u0006', '../', '\\', 'IHE_XDM/'],
  ...[
    '%00',
    '%ff',
    '%25',
    '%2C',
    '%24',
    '$and',
    ' eq ',
    ' or ',
    'gt',
    'ap',
    ':not',
    ':missing',
    '_has:',
    '.name',
    '%7C',
    '+',
  ],
  ...[
    '0',
    '-1',
    '01',
    '1e400',
    '1.50',
    '9'.repeat(25),
    '0000',
    '2024-02-30',
    '294277-01-01',
    '9999-12-31',
    'T24:00:00Z',
    '+14:01',
    'NaN',
    'Infinity',
  ],
];

const place = fc.double({ min: 0, max: 1, noNaN: true });
const length = fc.oneof({ weight: 8, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.nat(4_000) });
const change = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), place, by: fc.constantFrom(...pieces) }),
  fc.record({ kind: fc.constant('cut' as const), place, length }),
  fc.record({ kind: fc.constant('replace' as const), place, length, by: fc.constantFrom(...pieces) }),
  fc.record({ kind: fc.constant('double' as const), place, length, times: fc.nat({ max: 60 }) }),
  fc.record({ kind: fc.constant('move' as const), place, length, to: place }),
  fc.record({ kind: fc.constant('flip' as const), place, bit: fc.nat(7) }),
);
type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

/** One of the seeds with one to eight changes, byte by byte: what comes out need not be UTF-8. */
export function changed(seeds: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  const changes = fc.array(change, { minLength: 1, maxLength: 8 });
  return fc
    .tuple(fc.constantFrom(...seeds), changes)
    .map(([seed, list]) => list.reduce(apply, Buffer.from(seed)).subarray(0, bytesMax));
}

/** Larger inputs have their own tests, by the limits. */
const bytesMax = 300_000;

function apply(bytes: Buffer, one: Change): Buffer {
  const at = Math.floor(one.place * bytes.length);
  switch (one.kind) {
    case 'put':
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(one.by), bytes.subarray(at)]);
    case 'cut':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + one.length)]);
    case 'replace':
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(one.by), bytes.subarray(at + one.length)]);
    case 'double': {
      const piece = bytes.subarray(at, at + one.length);
      const copies = Array.from({ length: one.times }, () => piece);
      return Buffer.concat([bytes.subarray(0, at), ...copies, bytes.subarray(at)]).subarray(0, bytesMax);
    }
    case 'move': {
      const piece = bytes.subarray(at, at + one.length);
      const rest = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + one.length)]);
      const to = Math.floor(one.to * rest.length);
      return Buffer.concat([rest.subarray(0, to), piece, rest.subarray(to)]);
    }
    case 'flip': {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[Math.min(at, copy.length - 1)]! ^= 1 << one.bit;
      return copy;
    }
  }
}

/** Names and values of a query, by the forms that they may have and some that they may not. */
export function queries(
  codes: readonly string[],
  types: readonly string[],
): fc.Arbitrary<readonly (readonly [string, string])[]> {
  const code = fc.constantFrom(...codes);
  const type = fc.constantFrom(...types);
  const odd = fc.oneof(
    fc.constantFrom(...pieces),
    fc.string({ maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  const modifier = fc.constantFrom(
    '',
    ':not',
    ':exact',
    ':contains',
    ':missing',
    ':in',
    ':above',
    ':below',
    ':identifier',
    ':Patient',
    ':x',
    ':',
    '::',
  );
  const chain = fc
    .tuple(code, fc.constantFrom('', ':Patient', ':Organization', ':x'), code)
    .map(([a, b, c]) => `${a}${b}.${c}`);
  const reverse = fc.tuple(type, code, code).map(([a, b, c]) => `_has:${a}:${b}:${c}`);
  const result = fc.constantFrom(
    '_sort',
    '_include',
    '_revinclude',
    '_include:iterate',
    '_count',
    '_total',
    '_summary',
    '_elements',
    '_filter',
    '_list',
    '_cursor',
    '_id',
    '_type',
    '_content',
    '_text',
    '_query',
    '_contained',
    '_format',
    '_pretty',
  );
  const name = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(code, modifier).map(([a, b]) => a + b) },
    { weight: 2, arbitrary: chain },
    { weight: 2, arbitrary: reverse },
    { weight: 3, arbitrary: result },
    { weight: 1, arbitrary: odd },
  );
  const plain = fc.constantFrom(
    'a',
    'true',
    '2026-03-02',
    'gt2026',
    'ap5.4',
    'http://loinc.org|11490-0',
    '|x',
    'x|',
    'Patient/1',
    'Patient/1/_history/2',
    '5.4|http://unitsofmeasure.org|mg',
    'Observation:subject',
    '-date,code',
    'code eq a and (date gt 2020)',
    '1.5e3',
    '48.85|2.35|10|km',
    'a$b',
    'a,b',
    'a\\,b',
    'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1',
  );
  const value = fc.oneof(
    { weight: 4, arbitrary: plain },
    { weight: 3, arbitrary: fc.tuple(plain, odd, plain).map((parts) => parts.join('')) },
    { weight: 2, arbitrary: odd },
    { weight: 1, arbitrary: fc.tuple(odd, fc.nat(2_000)).map(([one, times]) => one.repeat(times).slice(0, 400)) },
  );
  return fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 5 });
}
