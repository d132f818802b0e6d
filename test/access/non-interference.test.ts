/**
 * Non-interference: whatever is added that a caller may not see, each of his answers stays the same, byte for byte. One property in place
 * of many cases: it finds any leak by search, paging, counts, includes, chains, history, versions, operations or errors
 * (rows F1 to F22 of the hostile inputs). `SUTURE_INTERFERENCE_ROUNDS=200` asks for longer.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Resource } from '../../src/fhir/index.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';
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

const rounds = Number(process.env['SUTURE_INTERFERENCE_ROUNDS'] ?? 8);

let app: AccessApp;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await openReceiver();
  app = await startAccessApp({
    'anna-narrow': physician(rpps.anna, { scope: 'user/Observation.rs?code=http://loinc.org|8867-4 user/Patient.rs' }),
    'anna-exporter': physician(rpps.anna, { rights: ['export'] }),
  });
  await app
    .as('system')
    .putAll(
      ...directory(),
      patient('a', 'Alix', { identifier: [{ system: 'urn:test', value: '1' }] }),
      patient('a2', 'Aline', { birthDate: '1961-01-01' }),
      patient('b', 'Benoit', { birthDate: '1955-05-05' }),
      careTeam('team-a', 'a', 'Practitioner/anna'),
      careTeam('team-a2', 'a2', 'Practitioner/anna'),
      careTeam('team-b', 'b', 'Practitioner/boris'),
      observation('seen-1', 'a', { focus: [{ reference: 'Observation/hidden-1' }] }),
      observation('seen-2', 'a', { effectiveDateTime: '2026-02-01', meta: { tag: [{ system: 'urn:t', code: 't' }] } }),
      observation('seen-3', 'a2', { code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] } }),
      binary('seen-document-content'),
      document('seen-document', 'a', { context: { related: [{ reference: 'DocumentReference/hidden-2' }] } }),
      {
        resourceType: 'List',
        id: 'seen-list',
        status: 'current',
        mode: 'working',
        subject: { reference: 'Patient/a' },
        entry: [{ item: { reference: 'Observation/seen-1' } }, { item: { reference: 'Observation/hidden-1' } }],
      },
    );
  await app.as('system').settle();
});

afterAll(async () => {
  await app?.close();
  await receiver?.close();
});

const hiddenIds = ['hidden-1', 'hidden-2', 'hidden-3', 'hidden-4'] as const;
const id = fc.constantFrom(...hiddenIds);
const mask = fc.constantFrom<object>(
  { system: visibility, code: 'MASQUE_PS' },
  { system: confidentiality, code: 'V' },
  { system: 'urn:unknown', code: 'x' },
);
const meta = mask.map((label) => ({ meta: { security: [label], tag: [{ system: 'urn:t', code: 't' }] } }));
const toSeen = {
  focus: [{ reference: 'Patient/a' }, { reference: 'Observation/seen-1' }],
  hasMember: [{ reference: 'Observation/seen-2' }],
};

/** What Anna may not see: of another patient, of hers and another, masked, of nobody, of an ended circle. */
const hidden: fc.Arbitrary<Resource> = fc.oneof(
  id.map((one) => observation(one, 'b', toSeen)),
  fc.tuple(id, meta).map(([one, labels]) => observation(one, 'a', { ...labels, ...toSeen })),
  fc
    .tuple(id, meta)
    .map(([one, labels]) => document(one, 'a', { ...labels, content: [{ attachment: { url: 'Binary/hidden-1' } }] })),
  id.map((one) => document(one, 'b', { context: { related: [{ reference: 'Patient/a' }] } })),
  id.map((one) =>
    patient(one, 'Alix', {
      identifier: [{ system: 'urn:test', value: '1' }],
      link: [{ type: 'seealso', other: { reference: 'Patient/a' } }],
    }),
  ),
  id.map((one) => careTeam(one, 'b', 'Practitioner/anna', { period: { end: '2026-02-28' } })),
  id.map((one) => careTeam(one, 'b', 'Practitioner/boris')),
  id.map(
    (one): Resource => ({
      resourceType: 'Group',
      id: one,
      type: 'person',
      actual: true,
      member: ['a', 'b'].map((of) => ({ entity: { reference: `Patient/${of}` } })),
    }),
  ),
  id.map(
    (one): Resource => ({
      resourceType: 'List',
      id: one,
      status: 'current',
      mode: 'working',
      subject: { reference: 'Patient/b' },
      entry: [{ item: { reference: 'Observation/seen-1' } }],
    }),
  ),
  id.map(
    (one): Resource => ({
      resourceType: 'Communication',
      id: one,
      status: 'completed',
      subject: { reference: 'Patient/b' },
      recipient: [{ reference: 'Practitioner/anna' }],
      about: [{ reference: 'Observation/seen-1' }],
    }),
  ),
  id.map(
    (one): Resource => ({
      resourceType: 'Provenance',
      id: one,
      recorded: '2026-03-01T10:00:00Z',
      target: [{ reference: 'Observation/seen-1' }, { reference: 'Patient/b' }],
      agent: [{ who: { reference: 'Practitioner/anna' } }],
    }),
  ),
  id.map(
    (one): Resource => ({
      resourceType: 'Task',
      id: one,
      status: 'requested',
      intent: 'order',
      for: { reference: 'Patient/b' },
      focus: { reference: 'Observation/seen-1' },
      owner: { reference: 'Practitioner/anna' },
    }),
  ),
  id.map(binary),
);

const shapes = [
  'Observation',
  'Observation?_sort=-date&_count=1',
  'Observation?_sort=_lastUpdated&_count=1',
  'Observation?_sort=-_lastUpdated&_count=2',
  'Observation?_sort=_id&_count=1',
  'Observation?_sort=code,-date&_count=1',
  'Observation?_total=accurate',
  'Observation?_summary=count',
  'Observation?code=8867-4&_total=accurate&_count=1',
  'Observation?code:not=8867-4',
  'Observation?_tag=urn:t|t',
  'Observation?_security=urn:unknown|x',
  'Observation?_security:missing=false',
  'Observation?date=ge2026-01-01&_sort=date',
  'Observation?patient=a&_include=Observation:focus&_include=Observation:has-member',
  'Observation?_id=seen-1&_revinclude=*&_include=*',
  'Observation?patient.name=alix',
  'Observation?subject:Patient.identifier=urn:test|1',
  'Observation?_has:List:item:status=current',
  'Observation?_list=seen-list',
  'Observation?_filter=code eq 8867-4 and date ge 2026-01-01',
  'Observation?value-quantity=gt10',
  'Observation?focus:missing=false',
  'Observation/_history?_count=2',
  'Patient',
  'Patient?_sort=birthdate&_count=1',
  'Patient?_sort=name&_count=1&_total=accurate',
  'Patient?name=alix',
  'Patient?identifier=urn:test|1',
  'Patient?_has:Observation:patient:code=8867-4',
  'Patient?_has:Observation:focus:status=final',
  'Patient?_has:CareTeam:patient:participant=Practitioner/anna',
  'Patient?link=Patient/a',
  'Patient?_id=a&_revinclude=Observation:patient&_revinclude=Group:member&_revinclude:iterate=Provenance:target',
  'Patient/_history',
  'Patient/a/$everything?_count=2',
  'Patient/a/$breaks',
  'Patient/a/*',
  'Patient/a/Observation?_total=accurate',
  'Patient/b/Observation',
  'Patient/b/$everything',
  'DocumentReference',
  'DocumentReference?security-label=MASQUE_PS',
  'DocumentReference?security-label:not=MASQUE_PS&_total=accurate',
  'DocumentReference?patient=a&_include=DocumentReference:related',
  'CareTeam?participant=Practitioner/anna',
  'CareTeam?_summary=count',
  'Group',
  'Group?member=Patient/a',
  'List?item=Observation/seen-1',
  'Communication?recipient=Practitioner/anna',
  'Provenance?target=Observation/seen-1',
  'Task?owner=Practitioner/anna&_total=accurate',
  'DetectedIssue?_total=accurate',
  'Practitioner?_has:CareTeam:participant:status=active',
  'Practitioner?_id=anna&_revinclude=CareTeam:participant',
  '?_type=Observation,Patient&_count=2',
  'List/seen-list/_history',
  '$dangling-references',
  'Observation?nothing=1',
] as const;
const targets = [
  'Observation',
  'DocumentReference',
  'Patient',
  'CareTeam',
  'Group',
  'Binary',
  'Provenance',
  'Task',
] as const;
const asked = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<string>(...shapes) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...targets),
        id,
        fc.constantFrom('', '/_history', '/_history/1', '/_history/2', '/$validate', '/$meta'),
      )
      .map(([type, one, rest]) => `${type}/${one}${rest}`),
  },
);
const caller = fc.constantFrom('anna', 'anna-narrow');

const pagesMax = 20;

/** An answer with all the pages behind it; page links are sealed anew each time. */
async function answerOf(name: string, path: string): Promise<string> {
  const texts: string[] = [];
  let url: string | undefined = path;
  while (url !== undefined && texts.length < pagesMax) {
    const reply = await app.as(name).get(url);
    texts.push(
      told(reply)
        .replaceAll(/_cursor=[^"&]+/g, '_cursor=')
        .replaceAll(/made-\d+/g, 'made'),
    );
    const links = (reply.json.link ?? []) as { relation: string; url: string }[];
    url = links.find(({ relation }) => relation === 'next')?.url.replace(/^.*?\/fhir\//, '');
  }
  return texts.join('\n');
}

const answersOf = async (requests: readonly (readonly [string, string])[]) => {
  const answers: Record<string, string> = {};
  for (const [name, path] of requests) answers[`${name}: ${path}`] = await answerOf(name, path);
  return answers;
};

async function withdraw(resources: readonly Resource[]): Promise<void> {
  for (const { resourceType, id: one } of resources) await app.as('system').remove(`${resourceType}/${one}`);
}

describe('whatever a caller may not see', () => {
  it('changes no answer of his, while it is there and when it is gone (F1 to F22)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(hidden, { minLength: 1, maxLength: 6 }),
        fc.array(fc.tuple(caller, asked), { minLength: 10, maxLength: 14 }),
        async (added, requests) => {
          await app.as('system').settle();
          const before = await answersOf(requests);
          await app.as('system').putAll(...added);
          await app.as('system').settle();
          expect(await answersOf(requests)).toEqual(before);
          await withdraw(added);
          expect(await answersOf(requests)).toEqual(before);
        },
      ),
      { numRuns: rounds, seed: 20260302 },
    );
  });

  it('changes no answer to any of these requests', async () => {
    const added: Resource[] = [
      observation('hidden-1', 'b', toSeen),
      observation('hidden-2', 'a', { meta: { security: [{ system: visibility, code: 'MASQUE_PS' }] }, ...toSeen }),
      document('hidden-2', 'a', { securityLabel: [{ coding: [{ system: visibility, code: 'MASQUE_PS' }] }] }),
      patient('hidden-3', 'Alix', { identifier: [{ system: 'urn:test', value: '1' }] }),
      careTeam('hidden-4', 'b', 'Practitioner/anna', { period: { end: '2026-02-28' } }),
      binary('hidden-2-content'),
    ];
    const requests = shapes.flatMap((path) => [['anna', path] as const, ['anna-narrow', path] as const]);
    const before = await answersOf(requests);
    // The test would find nothing if everything were refused.
    expect(Object.values(before).filter((text) => text.startsWith('200')).length).toBeGreaterThan(60);
    await app.as('system').putAll(...added);
    await app.as('system').settle();
    expect(await answersOf(requests)).toEqual(before);
    await withdraw(added);
  });

  it('stands in no export of his', async () => {
    const exported = async (): Promise<string> => {
      const started = await app.as('anna-exporter').get('$export', { prefer: 'respond-async' });
      const place = (started.headers.get('content-location') ?? '').replace(/^.*\/fhir\//, '');
      await app.as('system').settle();
      expect((await app.as('boris').get(place)).status).toBe(404);
      const files = ((await app.as('anna-exporter').get(place)).json.output ?? []) as { url: string; count: number }[];
      const texts: string[] = [];
      for (const { url } of files) {
        expect((await app.as('boris').get(url.replace(/^.*\/fhir\//, ''))).status).toBe(404);
        texts.push((await app.as('anna-exporter').get(url.replace(/^.*\/fhir\//, ''))).text);
      }
      return texts.join('');
    };
    const before = await exported();
    expect(before).toContain('"seen-1"');
    expect(before).not.toContain('Benoit');
    const added = [
      observation('hidden-1', 'b'),
      observation('hidden-2', 'a', { meta: { security: [{ system: 'urn:unknown', code: 'x' }] } }),
    ];
    await app.as('system').putAll(...added);
    expect(await exported()).toBe(before);
    await withdraw(added);
  });

  it('is not told of by his subscriptions, nor by those of others; and what he no longer sees is not sent (U9)', async () => {
    const terms = { status: 'requested', reason: 'essai', criteria: 'Observation?status=final' };
    const channel = { type: 'rest-hook', endpoint: `${receiver.url}/anna`, payload: 'application/fhir+json' };
    const made = await app.as('anna').post('Subscription', { resourceType: 'Subscription', ...terms, channel });
    expect(made.status).toBe(201);
    const { id: subscription } = made.json as { id: string };
    await app.as('system').settle();
    const status = () => answerOf('anna', `Subscription/${subscription}/$status`);
    const events = () => answerOf('anna', `Subscription/${subscription}/$events`);
    const before = [await status(), await events()];
    receiver.forget();
    await app
      .as('system')
      .putAll(
        observation('hidden-1', 'b', toSeen),
        observation('hidden-2', 'a', { meta: { security: [{ system: visibility, code: 'MASQUE_PS' }] } }),
      );
    await app.as('system').settle();
    expect([receiver.received.length, await status(), await events()]).toEqual([0, ...before]);
    expect((await app.as('boris').get(`Subscription/${subscription}`)).status).toBe(404);
    expect((await app.as('boris').get(`Subscription/${subscription}/$events`)).status).toBe(404);
    expect((await app.as('boris').get('Subscription')).json.entry).toBeUndefined();

    await app.as('system').putAll(observation('told', 'a'));
    await app.as('system').settle();
    expect(receiver.received.map(({ path }) => path)).toEqual(['/anna/Observation/told']);

    receiver.forget();
    receiver.answer(() => ({ status: 503 }));
    await app.as('system').putAll(observation('too-late', 'a2'));
    await app.as('system').putAll(careTeam('team-a2', 'a2', 'Practitioner/anna', { status: 'inactive' }));
    receiver.answer(() => ({ status: 200 }));
    await app.as('system').moveClock('2026-03-02T12:00:00+01:00');
    const sent = receiver.received.map(({ body }) => body).join('');
    expect((await events()).includes('Patient/a2')).toBe(false);
    expect(receiver.received.filter(({ path }) => path === '/anna/Observation/too-late').slice(1)).toEqual([]);
    expect(sent.split('too-late').length).toBeLessThanOrEqual(2);
  });
});
