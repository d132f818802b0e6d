/**
 * The adversary, route by route: whatever a route or an operation is asked about something that the caller may not see, it answers as it
 * does about what never was: status, every header, body. Each policy of access/routes.ts stands here, either with what was tried on it
 * or with the reason why it names nobody's record, so that a new route is missed by a test that fails.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Caller } from '../../src/access/index.ts';
import { everyPolicy } from '../../src/access/routes.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { backport } from '../../src/notify/channel-terms.ts';
import type { Reply } from '../support/client.ts';
import { adaptLetter } from '../support/letter.ts';
import { application, everyScope, patientUser, physician } from './callers.ts';
import {
  type AccessApp,
  binary,
  careTeam,
  directory,
  document,
  observation,
  patient,
  rpps,
  startAccessApp,
  visibility,
} from './world.ts';

/** As long as each other: lengths tell too. */
const hidden = 'hidden';
const absent = 'absent';

const rights = [
  'care-team-manage',
  'consent-manage',
  'definition-write',
  'directory-write',
  'export',
  'indicator-read',
  'label-remove',
  'letter-ingest',
] as const;

/** Everybody who may ask much and sees nothing of what is hidden, each by another way of the decision. */
const askers: Readonly<Record<string, Caller>> = {
  'by relation': physician(rpps.anna, { rights }),
  'under patient scopes': physician(rpps.anna, { scope: 'patient/*.cruds', patient: 'Patient/a', rights }),
  'under a constraint': physician(rpps.anna, { scope: `${everyScope} user/Observation.rs?code=http://loinc.org|1-1` }),
  'as an application': application('his', { finess: '750712184', rights }),
  'as a patient': patientUser('Patient/a', 'patient/*.cruds'),
  'by labels alone': application('warehouse', { rights: ['patient-all', ...rights] }),
};

const mask = {
  meta: {
    security: [
      { system: visibility, code: 'INVISIBLE_PATIENT' },
      { system: visibility, code: 'SECRET' },
    ],
  },
};
const identifier = (value: string) => [{ system: 'urn:test', value }];
const ofB = { reference: 'Patient/b' };

const idOnly = { url: `${backport}backport-payload-content`, valueCode: 'id-only' };

/** Those who try writes as well; the others ask what is there. */
const asksAll: ReadonlySet<string> = new Set(['by relation', 'by labels alone']);

/** Masked from everybody, and of a patient of somebody else. */
function hiddenWorld(): readonly Resource[] {
  const named = (type: string, more: object): Resource => ({
    resourceType: type,
    id: hidden,
    ...mask,
    identifier: identifier(hidden),
    ...more,
  });
  return [
    patient(hidden, 'Alix', { ...mask, identifier: identifier(hidden) }),
    observation(hidden, 'b', { ...mask, identifier: identifier(hidden) }),
    document(hidden, 'b', { ...mask, identifier: identifier(hidden) }),
    binary(`${hidden}-content`),
    named('CarePlan', { status: 'active', intent: 'plan', subject: ofB }),
    named('Encounter', { status: 'finished', class: { code: 'IMP' }, subject: ofB }),
    named('Task', { status: 'requested', intent: 'order', for: ofB, code: { coding: [{ code: 'review-letter' }] } }),
    named('DetectedIssue', { status: 'final', patient: ofB }),
    named('Group', { type: 'person', actual: true, member: [{ entity: ofB }] }),
    careTeam(hidden, 'b', 'Practitioner/boris', { ...mask, identifier: identifier(hidden) }),
    observation('of-hidden', hidden, mask),
    {
      resourceType: 'Subscription',
      id: hidden,
      status: 'requested',
      reason: 'essai',
      criteria: 'https://suture.example/fhir/SubscriptionTopic/encounter-discharged',
      channel: { type: 'websocket', payload: 'application/fhir+json', _payload: { extension: [idOnly] } },
    },
  ];
}

type Ask = readonly [
  method: string,
  path: string,
  sent?: { body?: object; headers?: Record<string, string>; type?: string },
];

const types = ['Patient', 'Observation', 'DocumentReference', 'Task', 'Group'] as const;
const patchType = 'application/json-patch+json';
const patchOf = [{ op: 'add', path: '/language', value: 'fr' }];
const metaOf = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'x' }] } }] };
const parameters = { resourceType: 'Parameters' };

/** By the policy that they try: requests that name what has this id. */
const tries: Readonly<Record<string, (id: string) => readonly Ask[]>> = {
  'GET /:type/:id': (id) => [
    ...types.map((type): Ask => ['GET', `${type}/${id}`]),
    ['HEAD', `Observation/${id}`],
    ['GET', `Binary/${id}-content`],
    ['GET', `Observation/${id}`, { headers: { 'if-none-match': 'W/"1"' } }],
    ['GET', `Observation/${id}`, { headers: { 'if-modified-since': 'Sun, 01 Mar 2026 00:00:00 GMT' } }],
    ['GET', `Patient/${id}?_summary=true`],
    ['GET', `Patient/${id}`, { headers: { accept: 'application/fhir+xml' } }],
  ],
  'GET /:type/:id/_history/:versionId': (id) => [
    ...types.map((type): Ask => ['GET', `${type}/${id}/_history/1`]),
    ['GET', `Binary/${id}-content/_history/1`],
    ['GET', `Observation/${id}/_history/7`],
  ],
  'GET /:type/:id/_history': (id) => [
    ...types.map((type): Ask => ['GET', `${type}/${id}/_history`]),
    ['GET', `Observation/${id}/_history?_summary=count`],
  ],
  'GET /:type': (id) => [
    ...types.map((type): Ask => ['GET', `${type}?_id=${id}&_total=accurate`]),
    ...types.map((type): Ask => ['GET', `${type}?identifier=urn:test|${id}&_summary=count`]),
    ['GET', `Observation?subject=Patient/${id}`],
    ['GET', `Observation?patient.identifier=urn:test|${id}`],
    ['GET', `Observation?_filter=identifier eq urn:test|${id}`],
    ['GET', `Observation?_list=${id}`],
    ['GET', `Patient?_id=${id},a&_sort=-birthdate&_count=1&_elements=id`],
    ['GET', `Patient?_has:Observation:focus:identifier=urn:test|${id}`],
    ['GET', `Patient?_has:Group:member:_id=${id}`],
    ['GET', `Observation?_id=${id}&_include=*&_revinclude=*`],
    ['GET', `Task?identifier=urn:test|${id}&_total=estimate`],
    ['GET', `Subscription/$status?id=${id}`],
  ],
  'POST /:type/_search': (id) => [
    ['POST', `Observation/_search?_id=${id}`, { body: {}, type: 'application/x-www-form-urlencoded' }],
  ],
  'GET ': (id) => [['GET', `?_type=Observation,Patient&_id=${id}`]],
  'POST /_search': (id) => [
    ['POST', `_search?_type=Patient&_id=${id}`, { body: {}, type: 'application/x-www-form-urlencoded' }],
  ],
  'GET /:type/:id/:part': (id) => [
    ['GET', `Patient/${id}/Observation`],
    ['GET', `Patient/${id}/*?_summary=count`],
    ['GET', `Encounter/${id}/Observation`],
  ],
  'POST /:type/:id/:part/_search': (id) => [
    ['POST', `Patient/${id}/Observation/_search`, { body: {}, type: 'application/x-www-form-urlencoded' }],
  ],
  'PUT /:type/:id': (id) => [
    ['PUT', `Observation/${id}`, { body: observation(id, 'a') }],
    ['PUT', `Observation/${id}`, { body: observation(id, 'a'), headers: { 'if-match': 'W/"1"' } }],
    ['PUT', `Observation/${id}`, { body: observation(id, 'a'), headers: { 'if-match': 'W/"9"' } }],
    ['PUT', `Observation/${id}`, { body: observation(id, 'a'), headers: { 'if-none-match': '*' } }],
    ['PUT', `Binary/${id}-content`, { body: binary(`${id}-content`) }],
    ['PUT', `Patient/${id}`, { body: patient(id, 'Alix') }],
    ['PUT', `CareTeam/${id}`, { body: careTeam(id, 'a', 'Practitioner/boris') }],
  ],
  'PATCH /:type/:id': (id) => [
    ...types.map((type): Ask => ['PATCH', `${type}/${id}`, { body: patchOf, type: patchType }]),
    ['PATCH', `Observation/${id}`, { body: patchOf, type: patchType, headers: { 'if-match': 'W/"1"' } }],
    ['PATCH', `Observation/${id}`, { body: [{ op: 'test', path: '/status', value: 'x' }], type: patchType }],
  ],
  'DELETE /:type/:id': (id) => [
    ...types.map((type): Ask => ['DELETE', `${type}/${id}`]),
    ['DELETE', `Observation/${id}`, { headers: { 'if-match': 'W/"1"' } }],
    ['DELETE', `Observation/${id}`, { headers: { 'if-match': 'W/"9"' } }],
    ['DELETE', `Observation/${id}`, { headers: { prefer: 'return=OperationOutcome' } }],
    ['DELETE', `Binary/${id}-content`],
  ],
  'PUT /:type': (id) => [
    ['PUT', `Observation?_id=${id}`, { body: { ...observation(id, 'a'), id } }],
    ['PUT', `Observation?identifier=urn:test|${id}`, { body: observation(id, 'a'), headers: { 'if-match': 'W/"1"' } }],
  ],
  'PATCH /:type': (id) => [['PATCH', `Observation?identifier=urn:test|${id}`, { body: patchOf, type: patchType }]],
  'DELETE /:type': (id) => [
    ['DELETE', `Observation?identifier=urn:test|${id}`],
    ['DELETE', `Observation?_id=${id}`, { headers: { 'if-match': 'W/"1"' } }],
  ],
  'POST /:type': (id) => [
    ['POST', 'Observation', { body: observation('x', 'a'), headers: { 'if-none-exist': `identifier=urn:test|${id}` } }],
    ['POST', 'Observation', { body: observation('x', id) }],
    ['POST', 'Observation', { body: observation('x', 'a', { focus: [{ reference: `Observation/${id}` }] }) }],
    ['POST', 'DocumentReference', { body: document(id, 'a') }],
  ],
  'POST ': (id) => [
    ...(['batch', 'transaction'] as const).flatMap((type) =>
      (
        [
          ['GET', `Observation/${id}`],
          ['GET', `Observation?_id=${id}`],
          ['DELETE', `Observation/${id}`],
          ['PUT', `Observation/${id}`],
          ['DELETE', `Observation?identifier=urn:test|${id}`],
        ] as const
      ).map(([method, url]): Ask => {
        const resource = method === 'PUT' ? { resource: observation(id, 'a') } : {};
        return [
          'POST',
          '',
          { body: { resourceType: 'Bundle', type, entry: [{ ...resource, request: { method, url } }] } },
        ];
      }),
    ),
    [
      'POST',
      '',
      {
        body: {
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [
            {
              resource: observation('x', 'a', { subject: { reference: `Patient?identifier=urn:test|${id}` } }),
              request: { method: 'POST', url: 'Observation' },
            },
          ],
        },
      },
    ],
  ],
  'instance $breaks': (id) => [['GET', `Patient/${id}/$breaks`]],
  'instance $explain': (id) => [['GET', `DetectedIssue/${id}/$explain`]],
  'instance $everything': (id) => [
    ['GET', `Patient/${id}/$everything`],
    ['GET', `Encounter/${id}/$everything`],
  ],
  'instance $accesses': (id) => [['GET', `Patient/${id}/$accesses`]],
  'instance $status': (id) => [['GET', `Subscription/${id}/$status`]],
  'instance $events': (id) => [['GET', `Subscription/${id}/$events`]],
  'instance $resend': (id) => [['POST', `Subscription/${id}/$resend?eventsSinceNumber=1`]],
  'type $get-ws-binding-token': (id) => [['GET', `Subscription/$get-ws-binding-token?id=${id}`]],
  'instance $get-ws-binding-token': (id) => [['GET', `Subscription/${id}/$get-ws-binding-token`]],
  'instance $xdm': (id) => [['GET', `DocumentReference/${id}/$xdm`]],
  'instance $mssante': (id) => [['POST', `DocumentReference/${id}/$mssante`, { body: parameters }]],
  'instance $publish': (id) => [['POST', `DocumentReference/${id}/$publish`, { body: parameters }]],
  'instance $document': (id) => [
    ['GET', `CarePlan/${id}/$document`],
    ['GET', `DetectedIssue/${id}/$document?format=pdf`],
  ],
  'instance $retry': (id) => [['POST', `Task/${id}/$retry`]],
  'instance $meta': (id) => types.map((type): Ask => ['GET', `${type}/${id}/$meta`]),
  'instance $meta-add': (id) => [['POST', `Observation/${id}/$meta-add`, { body: metaOf }]],
  'instance $meta-delete': (id) => [['POST', `Observation/${id}/$meta-delete`, { body: metaOf }]],
  'instance $validate': (id) => [
    ['GET', `Observation/${id}/$validate`],
    ['POST', `Observation/${id}/$validate?mode=delete`],
    ['POST', `Observation/${id}/$validate`, { body: observation(id, 'a') }],
  ],
  'instance $export': (id) => [['GET', `Group/${id}/$export`, { headers: { prefer: 'respond-async' } }]],
};

/** Why there is nothing to try, or where it is tried. */
const elsewhere: Readonly<Record<string, string>> = {
  'GET /metadata': 'of the server',
  'GET /:type/_history': 'access/non-interference.test.ts',
  'GET /_history': 'a right of its own, who has it sees what he sees: access/derived.test.ts',
  'GET /_bulk/:id': 'of whoever asked: access/non-interference.test.ts',
  'DELETE /_bulk/:id': 'of whoever asked',
  'GET /_bulk/:id/:versionId': 'of whoever asked: access/non-interference.test.ts',
  'type $backtest': 'of everybody, for who sees everybody: access/derived.test.ts',
  'instance $backtest': 'of everybody, for who sees everybody',
  'instance $counts': 'of everybody, for who sees everybody: access/derived.test.ts',
  'instance $apply-version': 'admin',
  'instance $fixtures': 'of a definition, which is open',
  'instance $evaluate-measure': 'access/derived.test.ts',
  'type $ingest': 'what is found is told as far as it is seen: below',
  'type $status': 'GET /:type above',
  'instance $break-glass': 'asks for a patient before he is seen: access/break-glass.test.ts',
  'instance $break-glass-end': 'as $break-glass',
  'type $generate-metadata': 'stores as the caller: POST /:type',
  'system $meta': 'history-all',
  'type $meta': 'access/derived.test.ts and below',
  'system $convert': 'of what is sent',
  'system $dangling-references': 'admin',
  'system $export': 'access/non-interference.test.ts',
  'type $export': 'access/non-interference.test.ts',
  'system $import': 'a right of its own; tells what was sent',
  'type $expand': 'of definitions, which are open',
  'instance $expand': 'of definitions, which are open',
  'type $validate-code': 'of definitions, which are open',
  'instance $validate-code': 'of definitions, which are open',
  'type $lookup': 'of definitions, which are open',
  'type $subsumes': 'of definitions, which are open',
  'type $validate': 'of what is sent',
};

let app: AccessApp;
beforeAll(async () => {
  app = await startAccessApp(askers, { settings: { SUTURE_AUDIT: 'on' } });
  await app
    .as('system')
    .putAll(
      ...directory(),
      patient('a', 'Alix'),
      patient('b', 'Benoit'),
      careTeam('team-a', 'a', 'Practitioner/anna'),
      careTeam('team-b', 'b', 'Practitioner/boris'),
      observation('seen', 'a'),
      ...hiddenWorld(),
    );
});
afterAll(() => app?.close());

/** What differs between any two answers. */
const ofTheMoment: ReadonlySet<string> = new Set(['date', 'x-request-id', 'last-modified', 'connection', 'keep-alive']);

function shownBy({ status, headers, text }: Reply): string {
  const kept = [...headers].filter(([name]) => !ofTheMoment.has(name)).map(([name, value]) => `${name}: ${value}`);
  return [status, ...kept, text]
    .join('\n')
    .replaceAll(/made-\d+/g, 'made')
    .replaceAll(/content-length: \d+(?=[^]*made)/g, 'content-length')
    .replaceAll(/"lastUpdated":"[^"]*"/g, '')
    .replaceAll(/_cursor=[\w%.-]+/g, '_cursor')
    .replaceAll(absent, hidden);
}

interface Answers {
  readonly told: readonly string[];
  readonly expected: readonly string[];
  /** Of each, the policy that it tries. */
  readonly heads: readonly string[];
  /** How many were not refused. */
  readonly good: number;
}

/** Each request about what is hidden, and the same one after it about what never was. */
async function askAll(name: string, isAsked: (ask: Ask) => boolean = () => true): Promise<Answers> {
  const found: { told: string; expected: string; head: string; isGood: boolean }[] = [];
  for (const [policy, asksOf] of Object.entries(tries)) {
    const [ofHidden, ofAbsent] = [asksOf(hidden), asksOf(absent)];
    for (const [at, ask] of ofHidden.entries()) {
      const other = ofAbsent[at];
      if (other === undefined || !isAsked(ask)) continue;
      const title = `${name}, ${policy}: ${ask[0]} ${ask[1]}\n`;
      const reply = await app.as(name).send(...ask);
      const told = title + shownBy(reply);
      const expected = title + shownBy(await app.as(name).send(...other));
      found.push({ told, expected, head: policy, isGood: reply.status < 300 });
    }
  }
  return {
    told: found.map(({ told }) => told),
    expected: found.map(({ expected }) => expected),
    heads: found.map(({ head }) => head),
    good: found.filter(({ isGood }) => isGood).length,
  };
}

describe('what is hidden is answered of as what never was', () => {
  it('on every route and operation that has a policy', () => {
    const policies = everyPolicy()
      .filter(({ kind }) => kind !== 'other')
      .map(({ key }) => key);
    expect([...Object.keys(tries), ...Object.keys(elsewhere)].sort()).toEqual([...policies].sort());
  });

  it('to everybody, whatever way of the decision is his', async () => {
    const names = Object.keys(askers);
    // All of them at once: what one is told is nothing to the others.
    const answers = await Promise.all(
      names.map((name) => askAll(name, (ask) => asksAll.has(name) || ask[0] === 'GET')),
    );
    for (const [at, { told, expected, good }] of answers.entries()) {
      expect([names[at], ...told]).toEqual([names[at], ...expected]);
      // Were everything refused, nothing would have been tried.
      expect(good).toBeGreaterThan(10);
    }
  }, 120_000);

  it('while who sees it is told of it, on every route that reads', async () => {
    const { told, expected, heads } = await askAll('system', ([method]) => method === 'GET');
    const same = new Set(heads.filter((_head, at) => told[at] === expected[at]));
    const different = new Set(heads.filter((_head, at) => told[at] !== expected[at]));
    const silent = [...same].filter((head) => !different.has(head));
    expect(silent).toEqual([]);
    expect(different.size).toBeGreaterThan(15);
  });

  it('and is as it was', async () => {
    for (const { resourceType, id } of hiddenWorld().filter((one) => one.resourceType !== 'Binary')) {
      const { meta } = await app.as('system').read<Resource>(`${resourceType}/${id}`);
      expect([resourceType, meta?.versionId]).toEqual([resourceType, '1']);
    }
  });
});

describe('a letter', () => {
  it('that names a patient shows nothing of his record to who may not see it', async () => {
    const base = readFileSync(new URL('../letters/fixtures/discharge.xml', import.meta.url), 'utf8');
    const effectiveTime = '2026-03-02T16:05:00+01:00';
    const another = (id: string) => adaptLetter(base, { document: { id: `${id}.1`, setId: id, effectiveTime } });
    expect((await app.as('system').ingest(base)).status).toBe(201);
    const [person] = await app.as('system').search<Resource>('Patient?name=Brunel');
    const telecom = [{ system: 'phone', value: '0199000000' }];
    await app.as('system').putAll({ ...person, telecom } as Resource);
    const reply = await app.as('as an application').ingest(another('1.2.3.4'));
    expect(reply.status).toBe(201);
    const entries = reply.json.entry as { resource?: Resource; response: { location: string } }[];
    expect(entries.some(({ response }) => response.location.includes(`Patient/${person?.id}/`))).toBe(true);
    expect(entries.find(({ resource }) => resource?.resourceType === 'DocumentReference')).toBeDefined();
    expect(reply.text).not.toContain('0199000000');
    expect((await app.as('by labels alone').ingest(another('1.2.3.5'))).text).toContain('0199000000');
  });
});
