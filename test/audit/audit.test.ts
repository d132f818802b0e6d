/** The audit log over HTTP: what is noted of each interaction, who may read it, that it is never changed, and that its events conform to IHE BALP. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditEvent } from 'fhir/r4.js';
import { application, physician } from '../access/callers.ts';
import { type AccessApp, careTeam, directory, observation, patient, startAccessApp } from '../access/world.ts';

const packages = join(import.meta.dirname, '../../../../shared/packages');
const guide = [packages, '/work/shared/packages'].find((one) => existsSync(join(one, 'ihe.iti.balp-1.1.4.tgz')));

let app: AccessApp;

beforeAll(async () => {
  app = await startAccessApp(
    {
      auditor: application('auditor', { rights: ['audit-read', 'patient-all'] }),
      gateway: application('gateway', { rights: ['audit-write'] }),
      drita: {
        ...physician('10100000033'),
        credential: { issuer: 'https://sso.example', tokenId: 't 1', assurance: 'APPPRIP3' },
      },
    },
    { settings: { SUTURE_AUDIT: 'on' } },
  );
  const feed = app.as('feed');
  await feed.putAll(...directory(), patient('a', 'Martin'), patient('b', 'Petit'));
  await feed.putAll(careTeam('ta', 'a', 'Practitioner/anna'), careTeam('tb', 'b', 'Practitioner/anna'));
  await feed.putAll(observation('oa', 'a'), observation('ob', 'b'));
});

afterAll(() => app.close());

const log = (query: string) => app.as('auditor').search<AuditEvent>(`AuditEvent?${query}`);
const ofAnna = 'agent:identifier=https://rpps.esante.gouv.fr|10100000011';
const profileOf = ({ meta }: AuditEvent) => meta?.profile?.[0]?.split('.').at(-1);
const entities = ({ entity = [] }: AuditEvent) => entity.flatMap(({ what }) => what?.reference ?? []);

describe('a write', () => {
  it('is noted with it, by whom and on whom', async () => {
    const [created] = await log('entity=Observation/oa&action=C');
    expect(created).toMatchObject({ action: 'C', outcome: '0', subtype: [{ code: 'create' }] });
    expect(created && profileOf(created)).toBe('PatientCreate');
    expect(created && entities(created)).toEqual(['Observation/oa/_history/1', 'Patient/a']);
    expect(created?.agent[0]).toMatchObject({ who: { identifier: { value: 'feed' } }, requestor: true });
    await app.as('feed').put(observation('gone', 'a'));
    await app.as('feed').put(observation('gone', 'a', { status: 'amended' }));
    await app.as('feed').send('DELETE', 'Observation/gone');
    const events = await log('entity=Observation/gone&_sort=date');
    expect(events.map((one) => [one.action, profileOf(one)])).toEqual([
      ['C', 'PatientCreate'],
      ['U', 'PatientUpdate'],
      ['D', 'PatientDelete'],
    ]);
    expect(events.map(entities).every((found) => found.includes('Patient/a'))).toBe(true);
  });

  it('that is not done leaves no note of a write, and one of its refusal', async () => {
    const transaction = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { request: { method: 'PUT', url: 'Observation/never' }, resource: observation('never', 'a') },
        { request: { method: 'PUT', url: 'Observation/oa', ifMatch: 'W/"99"' }, resource: observation('oa', 'a') },
      ],
    };
    expect((await app.as('feed').post('', transaction)).status).toBe(412);
    expect(await log('entity=Observation/never')).toEqual([]);
    const [refused] = await log('subtype=transaction');
    expect(refused).toMatchObject({ outcome: '4', outcomeDesc: 'HTTP 412' });
    expect(refused?.meta?.profile).toBeUndefined();
  });
});

describe('a read', () => {
  it('is noted before it is shown, with the version that was asked for and the patient concerned', async () => {
    await app.as('anna').read('Observation/oa');
    await app.as('anna').read('Observation/oa/_history/1');
    const [vread, read] = await log(`${ofAnna}&action=R`);
    expect([read, vread].map((one) => one && [profileOf(one), one.subtype?.[0]?.code, ...entities(one)])).toEqual([
      ['PatientRead', 'read', 'Observation/oa', 'Patient/a'],
      ['PatientRead', 'vread', 'Observation/oa/_history/1', 'Patient/a'],
    ]);
    expect(read?.agent.map(({ type }) => type?.coding?.[0]?.code)).toEqual(['110152', '110153', 'IRCP']);
    expect(read?.entity?.some(({ type }) => type?.code === 'XrequestId')).toBe(true);
  });

  it('of several patients by a search is an event for each, with the request as it came', async () => {
    await app.as('anna').search('Observation?code=8867-4&_include=Observation:subject');
    const events = (await log(`${ofAnna}&subtype=search-type`)).slice(0, 2);
    expect(
      events
        .map((one) => entities(one))
        .flat()
        .sort(),
    ).toEqual(['Patient/a', 'Patient/b']);
    for (const event of events) {
      expect(profileOf(event)).toBe('PatientQuery');
      const query = event.entity?.find(({ role }) => role?.code === '24')?.query ?? '';
      expect(Buffer.from(query, 'base64').toString()).toBe('Observation?code=8867-4&_include=Observation%3Asubject');
    }
    await app.as('anna').search('Observation?code=none');
    const [none] = await log(`${ofAnna}&subtype=search-type`);
    expect(none && [profileOf(none), entities(none)]).toEqual(['Query', []]);
  });

  it('in a batch, in a transaction and by an operation is noted like any other', async () => {
    const get = (type: string) => ({
      resourceType: 'Bundle',
      type,
      entry: [{ request: { method: 'GET', url: 'Patient/a' } }],
    });
    const count = async () => (await log(`${ofAnna}&entity=Patient/a&action=R&_count=100`)).length;
    const before = await count();
    expect((await app.as('anna').post('', get('batch'))).status).toBe(200);
    expect((await app.as('anna').post('', get('transaction'))).status).toBe(200);
    expect(await count()).toBe(before + 2);
    await app.as('anna').get('Patient/a/$everything');
    const [everything] = await log(`${ofAnna}&subtype=operation`);
    expect(everything?.subtype?.map(({ code }) => code)).toEqual(['operation', 'everything']);
    expect(everything && entities(everything)).toContain('Patient/a');
    await app.as('anna').get('Patient/_history');
    expect(await log(`${ofAnna}&subtype=history-type&patient=b`)).toHaveLength(1);
  });

  it('that is refused is noted with the patient whom the caller did not see', async () => {
    expect((await app.as('drita').get('Observation/oa')).status).toBe(404);
    const [refused] = await log('agent:identifier=https://rpps.esante.gouv.fr|10100000033');
    expect(refused).toMatchObject({ outcome: '4', outcomeDesc: 'HTTP 404', subtype: [{ code: 'read' }] });
    expect(refused && entities(refused)).toEqual(['Observation/oa', 'Patient/a']);
    expect(refused?.agent[0]?.policy).toEqual(['urn:suture:token:t%201']);
    expect(refused?.agent[2]?.role).toEqual([{ text: 'APPPRIP3' }]);
    expect((await app.client.get('Patient/a', { authorization: 'Bearer forged' })).status).toBe(401);
    expect((await log('outcome=4'))[0]).toMatchObject({ outcomeDesc: 'HTTP 401' });
  });
});

describe('the log', () => {
  it('is read under its own right, by others not at all', async () => {
    const [event] = await log('patient=a');
    expect((await app.as('anna').get(`AuditEvent/${event?.id}`)).status).toBe(404);
    expect((await app.as('anna').get('AuditEvent')).json.entry).toBeUndefined();
    expect((await app.as('auditor').get(`AuditEvent/${event?.id}`)).json.id).toBe(event?.id);
    expect((await app.as('auditor').get('AuditEvent/none')).status).toBe(404);
  });

  it('tells a patient who has read his record, and nobody else', async () => {
    await app.as('anna').read('Observation/oa');
    const own = await app.as('patientA').get('Patient/a/$accesses?_count=3');
    expect(own.status).toBe(200);
    expect(own.json.entry).toHaveLength(3);
    expect((await app.as('patientA').get('Patient/b/$accesses')).status).toBe(404);
    expect((await app.as('anna').get('Patient/a/$accesses')).status).toBe(403);
    expect((await app.as('auditor').get('Patient/a/$accesses')).status).toBe(200);
  });

  it('tells a patient nothing of who has read what is hidden from him', async () => {
    const security = [
      {
        system: 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument',
        code: 'INVISIBLE_PATIENT',
      },
    ];
    const counted = 'Patient/a/$accesses?_summary=count';
    const before = ((await app.as('patientA').get(counted)).json as { total: number }).total;
    await app.as('feed').putAll(observation('not-told-yet', 'a', { meta: { security } }));
    await app.as('anna').read('Observation/not-told-yet');
    const own = await app.as('patientA').get('Patient/a/$accesses?_count=1000');
    expect(own.text).toContain('Observation/oa');
    expect(own.text).not.toContain('not-told-yet');
    // The three times that he looked, or was counted for, are his own.
    expect(((await app.as('patientA').get(counted)).json as { total: number }).total).toBe(before + 2);
    expect((await app.as('auditor').get('Patient/a/$accesses?_count=1000')).text).toContain('not-told-yet');
  });

  it('A24: is never changed, whoever asks, through the server or beside it', async () => {
    const [event] = await log('patient=a');
    const path = `AuditEvent/${event?.id}`;
    for (const caller of ['system', 'auditor', 'gateway']) {
      const as = app.as(caller);
      expect((await as.send('PUT', path, { body: { ...event } })).status).toBe(405);
      expect((await as.send('DELETE', path)).status).toBe(405);
    }
    await expect(app.database.query({ text: 'delete from audit_event' })).rejects.toThrow();
    await expect(app.database.query({ text: "update audit_event set code = 'x'" })).rejects.toThrow();
    await expect(app.database.query({ text: 'truncate audit_event' })).rejects.toThrow();
  });

  it('takes events of others from who may give them, and shows them beside its own', async () => {
    const event = {
      resourceType: 'AuditEvent',
      type: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: '110106' },
      recorded: '2026-03-02T08:00:00+01:00',
      agent: [{ requestor: true, who: { display: 'DPI' } }],
      source: { observer: { display: 'DPI' } },
      entity: [{ what: { reference: 'Patient/b' } }],
    };
    const given = await app.as('gateway').post('AuditEvent', event);
    expect(given.status).toBe(201);
    expect((await app.as('anna').post('AuditEvent', event)).status).toBe(403);
    const [found] = await log('patient=b&subtype=given');
    expect(found).toMatchObject({
      id: given.headers.get('location')?.split('/').at(-3),
      source: { observer: { display: 'DPI' } },
    });
  });

  it('goes page by page, and refuses what it cannot be searched by', async () => {
    const pages: string[] = [];
    for (let url: string | undefined = 'AuditEvent?_count=7&_sort=date'; url !== undefined; ) {
      const { json } = await app.as('auditor').get(url);
      pages.push(...(json.entry ?? []).map(({ resource }: { resource: AuditEvent }) => resource.id));
      const next = json.link.find(({ relation }: { relation: string }) => relation === 'next')?.url as
        | string
        | undefined;
      url = pages.length > 30 ? undefined : next?.slice(next.indexOf('AuditEvent'));
    }
    expect(new Set(pages).size).toBe(pages.length);
    for (const query of ['site=x', 'action=Z', 'date=yesterday', '_sort=agent', 'outcome=5', '_cursor=x']) {
      expect((await app.as('auditor').get(`AuditEvent?${query}`)).status).toBe(400);
    }
    const counted = await app.as('auditor').get('AuditEvent?date=ge2026-03-02&_summary=count');
    expect(counted.json.total).toBeGreaterThan(20);
    expect((await app.as('auditor').get('AuditEvent?date=lt2026-03-02&_summary=count')).json.total).toBe(0);
  });

  it('keeps its months as long as it is told, and no longer', async () => {
    const months = async () =>
      (
        await app.database.query<{ name: string }>({
          text: "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_event'::regclass order by 1",
        })
      ).map(({ name }) => name);
    expect(await months()).toEqual(['audit_event_202603', 'audit_event_202604']);
    await app.database.query({ text: "select audit_months('2026-09-10', '2026-04-01')" });
    expect(await months()).toEqual(['audit_event_202604', 'audit_event_202609', 'audit_event_202610']);
    await app.database.query({ text: "select audit_months('2026-03-10', '2026-03-01')" });
  });
});

const described = guide === undefined ? describe.skip : describe;
if (guide === undefined) process.stderr.write('left out: ../shared/packages/ihe.iti.balp-1.1.4.tgz is not there\n');

described('the events', () => {
  it('conform to the profiles of IHE BALP that they claim', async () => {
    const { readFile } = await import('node:fs/promises');
    const { addPackage } = await import('../../src/packages/index.ts');
    const content = await readFile(join(guide ?? '', 'ihe.iti.balp-1.1.4.tgz'));
    await addPackage(app.database, content, { nowMs: app.app.clock.now(), allowsMissing: true });
    await app.as('feed').put(observation('oc', 'a'));
    await app.as('anna').read('Observation/oa');
    await app.as('anna').search('Observation?code=8867-4');
    await app.as('anna').search('Observation?code=none');
    await app.as('anna').read('Practitioner/anna');
    await app.as('feed').put(observation('oc', 'a', { status: 'amended' }));
    await app.as('feed').send('DELETE', 'Observation/oc');
    const seen = new Map<string, AuditEvent>();
    for (const event of await log('_count=200')) seen.set(profileOf(event) ?? 'none', event);
    expect([...seen.keys()].sort()).toEqual(
      expect.arrayContaining([
        'PatientCreate',
        'PatientDelete',
        'PatientQuery',
        'PatientRead',
        'PatientUpdate',
        'Query',
        'Read',
      ]),
    );
    for (const [name, event] of seen) {
      const reply = await app.as('system').post('AuditEvent/$validate', event);
      const faults = (reply.json.issue as { severity: string }[]).filter(
        ({ severity }) => severity === 'error' || severity === 'fatal',
      );
      expect([name, faults]).toEqual([name, []]);
    }
  });
});

describe('a month that begins', () => {
  it('ends those that are older than they must be kept, on a server that goes on', async () => {
    const months = async () =>
      (
        await app.database.query<{ name: string }>({
          text: "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_event'::regclass order by 1",
        })
      ).map(({ name }) => name);
    await app.database.query({ text: "select audit_months('2023-03-15', '2023-01-01')" });
    await app.as('anna').read('Observation/oa');
    expect(await months()).toContain('audit_event_202303');
    await app.as('system').moveClock('2026-04-01T03:00:00+02:00');
    await app.as('anna').read('Observation/oa');
    const kept = await months();
    expect(kept).not.toContain('audit_event_202303');
    expect(kept).toEqual(expect.arrayContaining(['audit_event_202304', 'audit_event_202604', 'audit_event_202605']));
  });
});
