/** The text of the decision (src/access/visible.sql.ts): what it binds, and what it leaves out where the type is known. */
import { describe, expect, it } from '@jest/globals';
import { createAccess, type Caller } from '../../src/access/index.ts';
import { application, patientUser, physician } from './callers.ts';

const access = createAccess({ now: () => 1_000, graceMs: 2_000, constraint: () => undefined });

function textOf(caller: Caller, types?: readonly string[], row?: 'stored' | 'former' | 'usual') {
  const values: unknown[] = [];
  const text = access.visibleTo(caller)('r', (value) => `$${values.push(value)}`, row, types);
  return { text, values };
}

const callers: readonly Caller[] = [
  physician('10100000011'),
  physician('10100000011', { scope: 'user/Patient.rs user/Observation.rs?code=8867-4', finess: '750712184' }),
  patientUser('Patient/a'),
  patientUser('Patient/a', 'user/*.rs patient/*.rs'),
  application('x', { rights: ['patient-all'] }),
  application('x', { rights: ['patient-all', 'label-all'], scope: 'system/Patient.rs' }),
  application('x', { finess: '750712184' }),
  { kind: 'client', scopes: [], rights: [] },
];
const kinds = [undefined, ['Patient'], ['Observation'], ['Binary'], ['Practitioner'], ['Subscription'], ['Basic']];

describe('the condition of a caller', () => {
  it('binds each value that it asks for, and none that it does not', () => {
    for (const caller of callers) {
      for (const types of kinds) {
        for (const row of [undefined, 'stored', 'former', 'usual'] as const) {
          const { text, values } = textOf(caller, types, row);
          const asked = new Set([...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
          expect([...asked].sort((one, other) => one - other)).toEqual(values.map((_value, at) => at + 1));
          expect(text).not.toMatch(/[^ -~\n]/);
        }
      }
    }
  });

  it('asks for the types that it was made for, itself', () => {
    const { text, values } = textOf(physician('10100000011'), ['Observation']);
    expect(text).toMatch(/^\(r\.type = \$\d+::text and /);
    expect(values).toContain('Observation');
    expect(text).not.toMatch(/access_content|subscription_owner/);
    expect(textOf(physician('10100000011')).text).toMatch(/access_content/);
    expect(textOf(physician('10100000011'), ['Binary']).text).toMatch(/access_content/);
  });

  it('of a usual row asks for no labels, one patient, and nothing of types that are decided otherwise', () => {
    const { text, values } = textOf(application('x', { finess: '750712184' }), ['Observation'], 'usual');
    expect(text).toContain(`r.labels = '{}'`);
    expect(text).toContain('cardinality(r.patients) = 1');
    expect(text).not.toMatch(/access_of_|access_asker|exists/);
    expect(values.flat().join()).not.toContain('Confidentiality');
    for (const types of [undefined, ['Binary'], ['Subscription'], ['Basic'], ['AuditEvent']]) {
      expect(textOf(physician('10100000011'), types, 'usual').text).toBe('false');
    }
  });

  it('is false for a type that no scope names, and for who has none', () => {
    expect(textOf(application('x', { scope: 'system/Patient.rs' }), ['Observation'])).toEqual({
      text: 'false',
      values: [],
    });
    expect(textOf({ kind: 'client', scopes: [], rights: [] }, ['Patient'])).toEqual({ text: 'false', values: [] });
  });

  it('writes a list as PostgreSQL reads it', () => {
    const odd = { ...application('x'), subject: { roles: ['application'], finess: 'a"b\\c,{}' } } as Caller;
    expect(textOf(odd, ['Observation']).values).toContain('{"finess|a\\"b\\\\c,{}"}');
  });
});
