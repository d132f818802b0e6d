/** JSON as FHIR needs it: https://hl7.org/fhir/R4/json.html. Rows J of the hostile inputs. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../src/base/index.ts';
import { parseJson, serializeJson } from '../../src/fhir/index.ts';

function problemOf(source: string | Uint8Array): Problem {
  try {
    parseJson(source);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('the source was accepted');
}

describe('parseJson', () => {
  it('keeps the digits of decimals through a round trip', () => {
    const text =
      '{"a":1.50,"b":[{"c":1e3},{"c":100}],"d":{"e":0.10000000000000000555,"f":-0.0},"g":12345678901234567890}';
    expect(serializeJson(parseJson(text))).toBe(text);
  });

  it('keeps the digits when members around them are replaced by a spread', () => {
    const parsed = parseJson('{"resourceType":"Observation","valueQuantity":{"value":4.10}}') as Record<
      string,
      unknown
    >;
    expect(serializeJson({ ...parsed, id: 'x' })).toBe(
      '{"resourceType":"Observation","valueQuantity":{"value":4.10},"id":"x"}',
    );
  });

  it('keeps the digits of a resource taken out of a Bundle', () => {
    const parsed = parseJson('{"entry":[{"resource":{"value":1.0}}]}') as { entry: { resource: unknown }[] };
    expect(serializeJson(parsed.entry[0]?.resource)).toBe('{"value":1.0}');
  });

  it.each([
    ['a name that is there twice', '{"a":{"b":1,"b":2}}', 'a.b'],
    ['a name that is there twice, once escaped', '{"a":1,"\\u0061":2}', 'a'],
    ['a name that is there twice in an item of an array', '{"a":[{"b":1},{"b":1,"c":2,"b":{"d":1}}]}', 'a[1].b'],
  ])('refuses %s and says where', (_what, text, expression) => {
    expect(problemOf(text).issues[0]).toMatchObject({ code: 'structure', expression });
  });

  it.each([
    ['__proto__ as a name', '{"a":{"__proto__":{"b":1}}}'],
    ['__proto__ as an escaped name', '{"\\u005f_proto__":1}'],
    ['depth above the limit', `${'['.repeat(101)}${']'.repeat(101)}`],
    ['100 000 open brackets', '['.repeat(100_000)],
    ['NUL in a string', '{"a":"x\\u0000"}'],
    ['half a surrogate pair', '{"a":"\\ud800"}'],
    ['an empty body', ''],
    ['text after the value', '{"a":1} x'],
    ['a single quote', "{'a':1}"],
    ['NaN', '{"a":NaN}'],
    ['a leading zero', '{"a":01}'],
    ['a control character in a string', '{"a":"\u0007"}'],
    ['a string of 20 million characters that does not end', `{"a":"${'x'.repeat(20_000_000)}`],
    ['the same behind escapes', `{"a":"\\n\\u00e9","b":"${'x'.repeat(20_000_000)}\\q"}`],
  ])('refuses %s', (_what, text) => {
    expect(problemOf(text).category).toBe('incorrect');
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(problemOf(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])).message).toBe('the body is not valid UTF-8');
  });

  it('accepts depth at the limit, a byte order mark and whole surrogate pairs', () => {
    expect(parseJson(`${'['.repeat(100)}${']'.repeat(100)}`)).toBeDefined();
    expect(parseJson(Buffer.from('\ufeff{"a":"\\ud83d\\ude00"}', 'utf8'))).toEqual({ a: '😀' });
  });

  it('names the line and never quotes the body', () => {
    const { message } = problemOf('{\n "name": "Marie Secrète",\n "x": oops }');
    expect(message).toMatch(/line 3/);
    expect(message).not.toMatch(/Secrète|oops/);
  });

  it('reads what JSON.parse reads, and writes what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('__proto__') && !text.includes('\\u0000') && !/\\ud[89a-f]/.test(text));
        expect(parseJson(text)).toEqual(JSON.parse(text));
        expect(JSON.parse(serializeJson(parseJson(text)))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('keeps any decimal text of any document', () => {
    const decimal = fc
      .tuple(fc.integer({ min: -999, max: 999 }), fc.stringMatching(/^\d{1,20}$/))
      .map(([n, d]) => `${n}.${d}`);
    fc.assert(
      fc.property(fc.array(decimal, { minLength: 1 }), (numbers) => {
        const text = `{"a":{"b":[${numbers.map((n) => `{"c":${n},"d":[]}`).join(',')}]}}`;
        expect(serializeJson(parseJson(text))).toBe(text);
      }),
    );
  });
});

it('refuses a small body that holds a great many values (J)', () => {
  const limits = { depthMax: 100, valuesMax: 1000 };
  const many = (count: number) => `[${Array.from({ length: count }, () => '0').join(',')}]`;
  expect(parseJson(many(1000), limits)).toHaveLength(1000);
  expect(() => parseJson(many(1001), limits)).toThrow('the body has 1001 members and elements, at most 1000 are taken');
  expect(() => parseJson(`{"a":"${','.repeat(2000)}"}`, limits)).not.toThrow();
});
