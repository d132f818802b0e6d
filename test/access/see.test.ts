/** What a caller sees: scope, relation, labels, on every read. Rows F and A of the hostile inputs by number. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { stay } from '../support/builders.ts';
import { physician } from './callers.ts';
import {
  type AccessApp,
  binary,
  careTeam,
  confidentiality,
  directory,
  document,
  observation,
  patient,
  rpps,
  startAccessApp,
  told,
  visibility,
} from './world.ts';

let app: AccessApp;

beforeAll(async () => {
  app = await startAccessApp({
    'anna-cardiology': physician(rpps.anna, {
      scope: 'user/Observation.rs?code=http://loinc.org|8867-4 user/Patient.r',
    }),
    'anna-glass': {
      ...physician(rpps.anna, { rights: ['break-glass'] }),
      breakGlass: { patient: 'Patient/b', reason: 'ETREAT', untilMs: Date.parse('2026-03-02T12:00:00+01:00') },
    },
    'anna-other-hospital': physician(rpps.anna, { finess: '750000001' }),
  });
  const server = app.as('system');
  await server.putAll(
    ...directory(),
    patient('a', 'Alix'),
    patient('b', 'Benoit'),
    careTeam('team-a', 'a', 'Practitioner/anna'),
    careTeam('team-b', 'b', 'Practitioner/boris'),
    observation('of-a', 'a', { focus: [{ reference: 'Patient/b' }] }),
    observation('of-b', 'b', { focus: [{ reference: 'Patient/a' }] }),
    binary('open-content'),
    binary('masked-content'),
    binary('orphan'),
    document('open', 'a'),
    document('masked', 'a', {
      securityLabel: [{ coding: [{ system: visibility, code: 'MASQUE_PS' }] }],
      author: [{ reference: 'Practitioner/boris' }],
    }),
    {
      resourceType: 'Group',
      id: 'both',
      type: 'person',
      actual: true,
      member: ['a', 'b'].map((id) => ({ entity: { reference: `Patient/${id}` } })),
    },
  );
});

afterAll(() => app.close());

const ids = async (name: string, path: string): Promise<readonly string[]> => {
  const reply = await app.as(name).get(path);
  expect(reply.status).toBe(200);
  const entries = (reply.json.entry ?? []) as { resource: { resourceType: string; id: string } }[];
  return entries.map(({ resource }) => `${resource.resourceType}/${resource.id}`).sort();
};

describe('a member of the care team', () => {
  it('reads the record of his patient, and nothing of another', async () => {
    for (const path of ['Patient/a', 'Observation/of-a', 'Patient/a/$everything', 'Patient/a/_history']) {
      expect([path, (await app.as('anna').get(path)).status]).toEqual([path, 200]);
    }
    for (const path of [
      'Patient/b',
      'Observation/of-b',
      'Patient/b/$everything',
      'Patient/b/_history',
      'CareTeam/team-b',
    ]) {
      expect([path, (await app.as('anna').get(path)).status]).toEqual([path, 404]);
    }
  });

  it('is answered of what he may not see as of what never was, byte for byte', async () => {
    const never = told(await app.as('anna').get('Observation/never-was'));
    expect(told(await app.as('anna').get('Observation/of-b'))).toBe(never);
    const version = told(await app.as('anna').get('Observation/never-was/_history/1'));
    expect(told(await app.as('anna').get('Observation/of-b/_history/1'))).toBe(version);
    const history = told(await app.as('anna').get('Observation/never-was/_history'));
    expect(told(await app.as('anna').get('Observation/of-b/_history'))).toBe(history);
    expect(told(await app.as('anna').get('Patient/b/$breaks'))).toBe(
      told(await app.as('anna').get('Patient/none/$breaks')),
    );
  });

  it('A26: is answered in the same time of what he may not see and of what never was', async () => {
    const lengthOf = async (path: string) => {
      const begin = performance.now();
      await app.as('anna').get(path);
      return performance.now() - begin;
    };
    const median = (times: readonly number[]) => [...times].sort((one, other) => one - other)[times.length >> 1] ?? 0;
    // In turns, so that what the machine does meanwhile falls on both; a difference that is always there is there three times.
    const round = async (): Promise<number> => {
      const hidden: number[] = [];
      const never: number[] = [];
      for (let at = 0; at < 60; at++) {
        hidden.push(await lengthOf('Observation/of-b'));
        never.push(await lengthOf('Observation/of-x'));
      }
      return Math.abs(median(hidden) - median(never)) / Math.max(1, median(never) / 2);
    };
    const found: number[] = [];
    while (found.length < 3 && found.every((difference) => difference > 1)) found.push(await round());
    expect(Math.min(...found)).toBeLessThanOrEqual(1);
  });

  it('F2, F8: finds and counts only what he sees', async () => {
    expect(await ids('anna', 'Observation')).toEqual(['Observation/of-a']);
    expect((await app.as('anna').get('Observation?_summary=count')).json.total).toBe(1);
    expect((await app.as('anna').get('Observation?_total=accurate&_count=0')).json.total).toBe(1);
    expect(told(await app.as('anna').get('Observation?patient=b'))).toBe(
      told(await app.as('anna').get('Observation?patient=none')).replaceAll('none', 'b'),
    );
  });

  it('F3: finds only the teams of his patients', async () => {
    expect(await ids('anna', 'CareTeam')).toEqual(['CareTeam/team-a']);
    expect(await ids('anna', 'CareTeam?patient=b')).toEqual([]);
    expect(await ids('anna', 'CareTeam?participant=Practitioner/boris')).toEqual([]);
  });

  it('F4, F5: is not led to another patient by includes, whatever refers to whom', async () => {
    expect(await ids('anna', 'Patient?_id=a&_revinclude=Observation:focus')).toEqual(['Patient/a']);
    expect(await ids('anna', 'Observation?_id=of-a&_include=Observation:focus')).toEqual(['Observation/of-a']);
  });

  it('F1, F11: asks nothing of what he does not see by chains and reverse chains', async () => {
    expect(await ids('anna', 'Observation?patient.name=Benoit')).toEqual([]);
    expect(await ids('anna', 'Observation?focus:Patient.name=Benoit')).toEqual([]);
    expect(await ids('anna', 'Patient?_has:Observation:focus:code=8867-4')).toEqual([]);
    expect(await ids('boris', 'Patient?_has:Observation:patient:code=8867-4')).toEqual(['Patient/b']);
  });

  it('F22: has no Group or List of his patient and another', async () => {
    expect(await ids('anna', 'Group')).toEqual([]);
    expect((await ids('anna', 'Patient/a/$everything')).filter((one) => /-b$|both/.test(one))).toEqual([]);
  });

  it('F10: finds no masked document, and cannot ask for masks', async () => {
    expect(await ids('anna', 'DocumentReference')).toEqual(['DocumentReference/open']);
    expect(await ids('anna', 'DocumentReference?security-label=MASQUE_PS')).toEqual([]);
    expect(await ids('anna', 'DocumentReference?security-label:not=MASQUE_PS')).toEqual(['DocumentReference/open']);
  });

  it('reads a Binary by the documents that it belongs to, all of them', async () => {
    expect((await app.as('anna').get('Binary/open-content')).text).toBe('content of open-content');
    const never = told(await app.as('anna').get('Binary/never-was'));
    expect(told(await app.as('anna').get('Binary/masked-content'))).toBe(never);
    expect(told(await app.as('anna').get('Binary/orphan'))).toBe(never);
  });
});

describe('labels', () => {
  it('hide nothing from the patient that is masked from professionals', async () => {
    expect(await ids('patientA', 'DocumentReference')).toEqual(['DocumentReference/masked', 'DocumentReference/open']);
  });

  it.each([
    ['INVISIBLE_PATIENT', visibility, 'anna'],
    ['INVISIBLE_PATIENT', 'urn:oid:1.2.250.1.213.1.1.4.13', 'anna'],
    ['INVISIBLE_PATIENT', visibility.replaceAll('Status', 'Statut'), 'anna'],
    ['INVISIBLE_REP_LEGAUX', visibility, 'anna patientA'],
    ['INVISIBLE_REPRESENTANTS_LEGAUX', visibility, 'anna patientA'],
    ['MASQUE_PS', visibility, 'patientA'],
    ['N', confidentiality, 'anna patientA'],
    ['R', confidentiality, 'anna patientA'],
    ['V', confidentiality, 'patientA'],
    ['CONNEXION_SECRETE', visibility, ''],
    ['masque_ps', visibility, ''],
    ['X', 'urn:unknown', ''],
  ])('with %s of %s are seen by: %s', async (code, system, expected) => {
    await app.as('system').putAll(observation('labelled', 'a', { meta: { security: [{ system, code }] } }));
    const found: string[] = [];
    for (const name of ['anna', 'patientA']) {
      if ((await app.as(name).get('Observation/labelled')).status === 200) found.push(name);
    }
    expect(found.join(' ')).toBe(expected);
    await app.as('system').remove('Observation/labelled');
  });

  it('do not hide from the author', async () => {
    await app.as('system').putAll(careTeam('boris-too', 'a', 'Practitioner/boris'));
    expect(await ids('boris', 'DocumentReference?patient=a')).toEqual([
      'DocumentReference/masked',
      'DocumentReference/open',
    ]);
    expect((await app.as('boris').get('Binary/masked-content')).status).toBe(200);
    await app.as('system').remove('CareTeam/boris-too');
    expect(await ids('boris', 'DocumentReference?patient=a')).toEqual([]);
  });
});

describe('a relation', () => {
  const sees = async (name: string) => (await app.as(name).get('Patient/b')).status === 200;
  const team = (changes: object) => app.as('system').putAll(careTeam('changing', 'b', 'Practitioner/anna', changes));

  it('A19: holds in its period and status alone, from the write on', async () => {
    const period = (start: string, end?: string) => ({
      participant: [{ member: { reference: 'Practitioner/anna' }, period: { start, ...(end && { end }) } }],
    });
    const seen: boolean[] = [];
    for (const changes of [
      {},
      { status: 'inactive' },
      { status: 'entered-in-error' },
      period('2026-01-01', '2026-03-02T07:59:58+01:00'),
      period('2026-03-03'),
      period('2026-03-02'),
      { subject: { reference: 'Group/both' } },
    ]) {
      await team(changes);
      seen.push(await sees('anna'));
    }
    expect(seen).toEqual([true, false, false, false, false, true, false]);
  });

  it('A19: comes by a role, but not of another organisation than the one that the caller acts for', async () => {
    await team({ participant: [{ member: { reference: 'PractitionerRole/anna-role' } }] });
    expect(await sees('anna')).toBe(true);
    await app.as('system').putAll({
      ...(directory()[2] as never as object),
      id: 'elsewhere',
      identifier: [{ system: 'https://finess.esante.gouv.fr', value: '750000001' }],
    } as never);
    expect(await sees('anna-other-hospital')).toBe(false);
    await app.as('system').remove('CareTeam/changing');
    expect(await sees('anna')).toBe(false);
  });

  it('ends with an objection of the patient', async () => {
    await team({});
    await app.as('system').putAll({
      resourceType: 'Consent',
      id: 'no',
      status: 'active',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
      category: [{ text: 'opposition' }],
      patient: { reference: 'Patient/b' },
      policyRule: { text: 'opposition' },
      provision: { type: 'deny', actor: [{ role: { text: 'refusé' }, reference: { reference: 'Practitioner/anna' } }] },
    });
    expect([await sees('anna'), await sees('boris')]).toEqual([false, true]);
  });

  it('A23: is not asked for while glass is broken, except over an objection', async () => {
    expect(await sees('anna-glass')).toBe(false);
    await app.as('system').remove('Consent/no');
    await app.as('system').remove('CareTeam/changing');
    expect([await sees('anna'), await sees('anna-glass')]).toEqual([false, true]);
    await app.as('system').moveClock('2026-03-02T12:00:00+01:00');
    expect(await sees('anna-glass')).toBe(false);
  });
});

describe('a scope', () => {
  it('refuses the types and interactions that it does not name, and anybody without a credential', async () => {
    const statuses = [];
    for (const [name, path] of [
      ['anna-cardiology', 'CareTeam'],
      ['anna-cardiology', 'Patient?_id=a'],
      ['anna-cardiology', 'Patient/a'],
    ] as const) {
      statuses.push((await app.as(name).get(path)).status);
    }
    expect(statuses).toEqual([403, 403, 200]);
    const unknown = await app.client.get('Patient/a');
    expect([unknown.status, unknown.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect((await app.client.get('metadata')).status).toBe(200);
    expect((await app.as('anna').get('_history')).status).toBe(403);
    expect((await app.as('anna').send('POST', '/admin/settle')).status).toBe(403);
    expect((await app.client.send('GET', '/metrics')).status).toBe(401);
  });

  it('narrows by its constraint, and includes bring nothing of other types', async () => {
    await app
      .as('system')
      .putAll(observation('weight', 'a', { code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] } }));
    expect(
      await ids('anna-cardiology', 'Observation?_include=Observation:subject&_revinclude=CareTeam:patient'),
    ).toEqual(['Observation/of-a', 'Patient/a']);
    expect((await app.as('anna-cardiology').get('Observation/weight')).status).toBe(404);
  });
});

describe('versions', () => {
  it('F13: are seen each by its own content', async () => {
    await app.as('system').putAll(observation('moved', 'b'), observation('moved', 'a'));
    expect((await app.as('anna').get('Observation/moved/_history/1')).status).toBe(404);
    expect((await app.as('anna').get('Observation/moved/_history/2')).status).toBe(200);
    expect((await app.as('anna').get('Observation/moved/_history')).json.entry).toHaveLength(1);
    expect((await app.as('boris').get('Observation/moved/_history/1')).status).toBe(200);
    const typed = (await app.as('anna').get('Observation/_history?_count=100')).text;
    expect(typed.match(/Patient\/b/g) ?? []).toHaveLength(1); // the focus of of-a
  });

  it('F14: of what was deleted are gone for those who saw it, and never were for others', async () => {
    await app.as('system').putAll(observation('gone', 'b'));
    await app.as('system').remove('Observation/gone');
    expect((await app.as('boris').get('Observation/gone')).status).toBe(410);
    expect(told(await app.as('anna').get('Observation/gone'))).toBe(
      told(await app.as('anna').get('Observation/never-was')),
    );
    expect((await app.as('anna').get('Observation/gone/_history')).status).toBe(404);
    expect((await app.as('boris').get('Observation/gone/_history')).json.entry).toHaveLength(2);
  });
});

describe('what a rule makes of what is masked', () => {
  it('P13: is masked too: a break of a masked stay is nothing to those who may not see the stay', async () => {
    const security = [{ system: visibility, code: 'MASQUE_PS' }];
    await app.as('system').putAll(stay('a', '2026-03-02T09:00:00+01:00', { meta: { security } }));
    await app.as('system').moveClock('2026-03-05T12:00:00+01:00');
    const found = (await app.as('system').get('DetectedIssue?patient=Patient/a')).json.entry ?? [];
    const labels = found.map(({ resource }: { resource: Resource }) => resource.meta?.['security']);
    expect(labels).toContainEqual(expect.arrayContaining([expect.objectContaining({ code: 'MASQUE_PS' })]));
    expect(await ids('anna', 'DetectedIssue?patient=Patient/a')).toEqual([]);
    expect(await ids('anna', 'Task?patient=Patient/a')).toEqual([]);
    expect((await ids('patientA', 'DetectedIssue?patient=Patient/a')).length).toBeGreaterThan(0);
  });
});
