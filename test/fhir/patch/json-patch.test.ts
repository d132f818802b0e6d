/** JSON Patch on resources: RFC 6902, RFC 6901, https://hl7.org/fhir/R4/http.html#patch. Rows J3 to J6 of the hostile inputs. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../../src/base/index.ts';
import { applyJsonPatch, parseJson, type Resource, serializeJson } from '../../../src/fhir/index.ts';

const patient = `{"resourceType":"Patient","id":"p1","name":[{"family":"Marchand","given":["Lucie","Anne"]}],"a/b":{"m~n":1}}`;

function apply(resource: string, patch: unknown): string {
  const text = typeof patch === 'string' ? patch : JSON.stringify(patch);
  return serializeJson(applyJsonPatch(parseJson(resource) as Resource, parseJson(text)));
}

function problemOf(resource: string, patch: unknown): Problem {
  try {
    apply(resource, patch);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('the patch was accepted');
}

describe('applyJsonPatch', () => {
  it.each([
    ['adds a member', [{ op: 'add', path: '/gender', value: 'female' }], (p: Pat) => ({ ...p, gender: 'female' })],
    ['replaces a member by add', [{ op: 'add', path: '/name', value: [] }], (p: Pat) => ({ ...p, name: [] })],
    [
      'inserts before an item and after the last',
      [
        { op: 'add', path: '/name/0/given/0', value: 'x' },
        { op: 'add', path: '/name/0/given/3', value: 'y' },
        { op: 'add', path: '/name/0/given/-', value: 'z' },
      ],
      (p: Pat) => ({ ...p, name: [{ family: 'Marchand', given: ['x', 'Lucie', 'Anne', 'y', 'z'] }] }),
    ],
    ['removes an item', [{ op: 'remove', path: '/name/0/given/0' }], named(['Anne'])],
    ['replaces an item', [{ op: 'replace', path: '/name/0/given/1', value: 'b' }], named(['Lucie', 'b'])],
    [
      'moves an item within its list',
      [{ op: 'move', from: '/name/0/given/0', path: '/name/0/given/1' }],
      named(['Anne', 'Lucie']),
    ],
    [
      'moves an item onto itself',
      [{ op: 'move', from: '/name/0/given/0', path: '/name/0/given/0' }],
      named(['Lucie', 'Anne']),
    ],
    [
      'copies, and the copy lives on its own',
      [
        { op: 'copy', from: '/name/0', path: '/name/-' },
        { op: 'replace', path: '/name/1/family', value: 'Le Goff' },
      ],
      (p: Pat) => ({ ...p, name: [...(p['name'] as []), { family: 'Le Goff', given: ['Lucie', 'Anne'] }] }),
    ],
    [
      'unescapes ~1 and ~0',
      [{ op: 'replace', path: '/a~1b/m~0n', value: 2 }],
      (p: Pat) => ({ ...p, 'a/b': { 'm~n': 2 } }),
    ],
    [
      'tests without regard to the order of members',
      [{ op: 'test', path: '/name/0', value: { given: ['Lucie', 'Anne'], family: 'Marchand' } }],
      (p: Pat) => p,
    ],
    [
      'may test and copy the identity',
      [
        { op: 'test', path: '/id', value: 'p1' },
        { op: 'copy', from: '/id', path: '/x' },
      ],
      (p: Pat) => ({ ...p, x: 'p1' }),
    ],
    [
      'ignores members it does not know',
      [{ op: 'remove', path: '/a~1b', note: 'x' }],
      ({ 'a/b': _gone, ...p }: Pat) => p,
    ],
    [
      'takes with the last item its list and what is left empty above',
      [
        { op: 'remove', path: '/a~1b/m~0n' },
        { op: 'remove', path: '/name/0/given/1' },
        { op: 'remove', path: '/name/0/given/0' },
      ],
      ({ 'a/b': _gone, ...p }: Pat) => ({ ...p, name: [{ family: 'Marchand' }] }),
    ],
    [
      'keeps a list that a later operation fills again',
      [
        { op: 'remove', path: '/name/0' },
        { op: 'add', path: '/name/0', value: { text: 'x' } },
      ],
      (p: Pat) => ({ ...p, name: [{ text: 'x' }] }),
    ],
  ])('%s', (_what, patch, expected) => {
    expect(JSON.parse(apply(patient, patch))).toEqual(expected(JSON.parse(patient) as Pat));
  });

  it('leaves the original untouched', () => {
    const original = parseJson(patient) as Resource;
    applyJsonPatch(original, [{ op: 'remove', path: '/name/0/given/0' }]);
    expect(serializeJson(original)).toBe(patient);
  });

  it('keeps the digits of decimals: untouched, added, moved and copied', () => {
    const observation =
      '{"resourceType":"Observation","valueQuantity":{"value":1.50},"component":[{"valueQuantity":{"value":2.0}}]}';
    const patch = `[{"op":"add","path":"/component/-","value":{"valueQuantity":{"value":3.100}}},
      {"op":"copy","from":"/component/0","path":"/component/-"},
      {"op":"test","path":"/valueQuantity/value","value":1.5},
      {"op":"move","from":"/valueQuantity","path":"/component/0/valueQuantity"}]`;
    expect(apply(observation, patch)).toBe(
      '{"resourceType":"Observation","component":[{"valueQuantity":{"value":1.50}},{"valueQuantity":{"value":3.100}},{"valueQuantity":{"value":2.0}}]}',
    );
  });

  it.each([
    ['a patch that is no array', { op: 'remove', path: '/name' }],
    ['an operation that is no object', ['remove']],
    ['an unknown operation', [{ op: 'delete', path: '/name' }]],
    ['an operation named like a member of every object', [{ op: 'toString', path: '/name' }]],
    ['no path', [{ op: 'remove' }]],
    ['a path that is no pointer', [{ op: 'remove', path: 'name' }]],
    ['~2', [{ op: 'remove', path: '/~2' }]],
    ['a pointer without end', [{ op: 'remove', path: '/a'.repeat(2000) }]],
    ['add without value', [{ op: 'add', path: '/gender' }]],
    ['move without from', [{ op: 'move', path: '/gender' }]],
    ['a move into itself', [{ op: 'move', from: '/name', path: '/name/0/given' }]],
    ['__proto__', '[{"op":"add","path":"/__proto__/x","value":1}]'],
    ['constructor', [{ op: 'add', path: '/constructor/prototype/x', value: 1 }]],
    ['__proto__ as from', [{ op: 'copy', from: '/__proto__', path: '/x' }]],
  ])('refuses %s as no JSON Patch', (_what, patch) => {
    expect(problemOf(patient, patch).category).toBe('incorrect');
    expect(({} as Pat)['x']).toBeUndefined();
  });

  it.each([
    ['a member that is not there', { op: 'remove', path: '/gender' }],
    ['replacing what is not there', { op: 'replace', path: '/gender', value: 'female' }],
    ['an object on the way that is not there', { op: 'add', path: '/contact/0', value: {} }],
    ['an index beyond the end', { op: 'add', path: '/name/2', value: {} }],
    ['an index beyond all ends', { op: 'add', path: '/name/4294967295', value: {} }],
    ['an index with a leading zero', { op: 'replace', path: '/name/00', value: {} }],
    ['the place after the last item', { op: 'replace', path: '/name/-', value: {} }],
    ['a member of a string', { op: 'add', path: '/id/length', value: 3 }],
    ['a member that every object inherits', { op: 'test', path: '/toString', value: null }],
    ['the type of the resource', { op: 'replace', path: '/resourceType', value: 'Person' }],
    ['the id of the resource', { op: 'remove', path: '/id' }],
    ['the id of the resource as the source of a move', { op: 'move', from: '/id', path: '/x' }],
    ['the whole resource', { op: 'replace', path: '', value: {} }],
  ])('refuses %s and names the operation', (_what, operation) => {
    const problem = problemOf(patient, [{ op: 'test', path: '/id', value: 'p1' }, operation]);
    expect(problem.category).toBe('unprocessable');
    expect(problem.message).toContain(`operation 2 (${operation.op} ${operation.path || 'the whole resource'})`);
  });

  it('answers a failed test without any value of the resource or of the patch', () => {
    const problem = problemOf(patient, [{ op: 'test', path: '/name/0/family', value: 'Kervella' }]);
    expect(problem.issues).toEqual([
      {
        severity: 'error',
        code: 'processing',
        text: 'operation 1 (test /name/0/family): the value is another one than expected',
      },
    ]);
  });

  it('does not print a pointer that might hold content', () => {
    expect(problemOf(patient, [{ op: 'remove', path: '/Lucie Marchand' }]).message).not.toContain('Lucie');
  });

  it('refuses more than a hundred operations', () => {
    const patch = Array.from({ length: 101 }, () => ({ op: 'test', path: '/id', value: 'p1' }));
    expect(problemOf(patient, patch).category).toBe('content-too-costly');
  });

  it.each([
    ['copies that double', '/a/c', '"x"'],
    ['copies of a number with very many digits', '/a/c', `0.${'1'.repeat(30_000)}`],
  ])('stops %s before they fill the memory', (_what, path, value) => {
    const patch = Array.from({ length: 60 }, (_none, index) => ({
      op: 'copy',
      from: index % 2 ? '/a' : '/a/b',
      path: `${path}${index}`,
    }));
    const started = performance.now();
    const problem = problemOf(`{"resourceType":"Basic","a":{"b":${value}}}`, patch);
    expect(problem.category).toBe('content-too-costly');
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('refuses to nest deeper than JSON may be', () => {
    const patch = Array.from({ length: 10 }, () => ({ op: 'copy', from: '/a', path: '/a/b' }));
    expect(
      problemOf('{"resourceType":"Basic","a":{"b":1}}', [
        ...patch.map((op, index) => ({ ...op, path: `/a${'/b'.repeat(2 ** index)}` })),
      ]).category,
    ).toBe('content-too-costly');
  });

  it('undoes each addition by a removal, wherever it was', () => {
    const key = fc.stringMatching(/^[a-z~/]{1,4}$/);
    const tree = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.integer(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(fc.dictionary(key, tree), key, tree, (rest, name, value) => {
        fc.pre(!Object.hasOwn(rest, name) && name !== 'id');
        const path = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        const resource = { resourceType: 'Basic', ...rest } as Resource;
        expect(
          applyJsonPatch(resource, [
            { op: 'add', path, value },
            { op: 'test', path, value },
          ]),
        ).toEqual({ ...resource, [name]: value });
        expect(
          applyJsonPatch(resource, [
            { op: 'add', path, value },
            { op: 'remove', path },
          ]),
        ).toEqual(resource);
      }),
    );
  });
});

type Pat = Record<string, unknown>;

function named(given: readonly string[]): (patient: Pat) => Pat {
  return (before) => ({ ...before, name: [{ family: 'Marchand', given }] });
}
