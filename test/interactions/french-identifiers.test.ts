/**
 * National identifiers over HTTP: a number is found by its URI and by its OID form, in what is stored nothing is
 * rewritten, and a wrong key is told without being refused. And the profiles of Suture, applied to who claims them.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startTestApp();
}, 120_000);
afterAll(() => server.close());

const numbers: readonly (readonly [title: string, type: string, uri: string, oid: string])[] = [
  ['RPPS', 'Practitioner', 'https://rpps.esante.gouv.fr|10101201233', 'urn:oid:1.2.250.1.71.4.2.1|810101201233'],
  ['ADELI', 'Practitioner', 'https://adeli.esante.gouv.fr|751234568', 'urn:oid:1.2.250.1.71.4.2.1|0751234568'],
  ['FINESS', 'Organization', 'https://finess.esante.gouv.fr|759999998', 'urn:oid:1.2.250.1.71.4.2.2|1759999998'],
  ['SIREN', 'Organization', 'https://sirene.fr|732829320', 'urn:oid:1.2.250.1.71.4.2.2|2732829320'],
  ['SIRET', 'Organization', 'https://sirene.fr|73282932000074', 'urn:oid:1.2.250.1.71.4.2.2|373282932000074'],
];

describe('a national identifier', () => {
  it.each(numbers)('of %s is found in both forms, and stored as it came', async (title, type, uri, oid) => {
    for (const [own, other] of [
      [uri, oid],
      [oid, uri],
    ] as const) {
      const [system, value] = own.split('|');
      const sent = { resourceType: type, identifier: [{ system, value }], name: nameOf(type, title) };
      const { json: created } = await server.client.post(type, sent);
      const { id, identifier } = created as { id: string; identifier: unknown };
      expect(identifier).toEqual(sent.identifier);
      for (const asked of [own, other]) expect(await idsOf(`${type}?identifier=${asked}`)).toContain(id);
      const { json: read } = await server.client.get(`${type}/${id}`);
      expect((read as { identifier: unknown }).identifier).toEqual(sent.identifier);
    }
  });

  it('of one register is not one of another', async () => {
    expect(await idsOf('Practitioner?identifier=https://finess.esante.gouv.fr|10101201233')).toEqual([]);
    expect(await idsOf('Practitioner?identifier=https://rpps.esante.gouv.fr|10101201234')).toEqual([]);
  });

  it('with a wrong key is stored, and told to who asks for an outcome', async () => {
    const identifier = [{ system: 'urn:oid:1.2.250.1.213.1.4.8', value: '252025917500145' }];
    const patient = { resourceType: 'Patient', identifier };
    const { status, json: told } = await server.client.post('Patient', patient, { prefer: 'return=OperationOutcome' });
    const { issue } = told as { issue: { severity: string; expression: string[]; details: { text: string } }[] };
    expect(status).toBe(201);
    expect(issue).toContainEqual(
      expect.objectContaining({ severity: 'warning', expression: ['Patient.identifier[0]'] }),
    );
    expect(JSON.stringify(issue)).not.toContain('252025917500145');
  });
});

describe('a profile of Suture', () => {
  const guide = 'https://suture.example/fhir/StructureDefinition';
  const profile = `${guide}/pathway-plan`;
  const plan = { resourceType: 'CarePlan', status: 'active', intent: 'plan', subject: { display: 'Mme Lefèvre' } };

  it('is asked of a resource that claims it', async () => {
    const claiming = { ...plan, meta: { profile: [profile] } };
    const refused = await server.client.post('CarePlan', claiming);
    const { issue } = refused.json as { issue: { expression: string[] }[] };
    expect([refused.status, issue.map(({ expression }) => expression)]).toEqual([422, [['CarePlan.period']]]);
    const complete = { ...claiming, period: { start: '2026-03-02' } };
    expect((await server.client.post('CarePlan', complete)).status).toBe(201);
    expect((await server.client.post('CarePlan', plan)).status).toBe(201);
  });

  it.each<[string, string, object, readonly string[]]>([
    [
      'pathway-message',
      'Communication',
      { status: 'completed' },
      ['Communication', 'Communication.subject', 'Communication.recipient'],
    ],
    ['pathway-task', 'Task', { status: 'requested', intent: 'order' }, ['Task.code', 'Task.for', 'Task.authoredOn']],
    [
      'break',
      'DetectedIssue',
      { status: 'preliminary' },
      [
        'DetectedIssue.extension',
        ...[
          'identifier',
          'code',
          'severity',
          'patient',
          'identified',
          'author',
          'implicated',
          'detail',
          'reference',
        ].map((name) => `DetectedIssue.${name}`),
      ],
    ],
  ])('%s is asked of what claims it', async (name, type, members, places) => {
    const claiming = { resourceType: type, meta: { profile: [`${guide}/${name}`] }, ...members };
    const { status, json: told } = await server.client.post(type, claiming);
    const { issue } = told as { issue: { expression: string[] }[] };
    expect(status).toBe(422);
    expect(new Set(issue.flatMap(({ expression }) => expression))).toEqual(new Set(places));
  });
});

function nameOf(type: string, text: string): unknown {
  return type === 'Organization' ? text : [{ text }];
}

async function idsOf(search: string): Promise<readonly string[]> {
  const { json: found } = await server.client.get(search);
  return ((found as { entry?: { resource: { id: string } }[] }).entry ?? []).map(({ resource }) => resource.id);
}
