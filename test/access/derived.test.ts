/**
 * What is derived of a masked document (design.md, access): a break that a rule found by it carries its labels, is told to those who may
 * see it, and changes no answer of anybody else (rows F10, P13 of the hostile inputs).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DetectedIssue } from 'fhir/r4.js';
import { careTeam, gp, patient, person, professionals, ruleSystem, stay } from '../support/builders.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';
import { openSocket } from '../support/websocket.ts';
import { patientUser, physician } from './callers.ts';
import { type AccessApp, startAccessApp, told, visibility } from './world.ts';

let app: AccessApp;
let receiver: Receiver;

const discharge = '2026-03-01T16:20:00+01:00';
const masked = { meta: { security: [{ system: visibility, code: 'MASQUE_PS' }] } };

beforeAll(async () => {
  receiver = await openReceiver();
  const doctor = '10009900029';
  app = await startAccessApp({
    doctor: physician(doctor, { rights: ['indicator-read', 'export'] }),
    patientQ: patientUser('Patient/q'),
  });
  await app.as('system').putAll(...professionals());
  for (const [number, id] of ['p', 'q'].entries()) {
    await app.as('system').putAll(patient(person(id, number + 1)), careTeam(id, { gp }));
  }
  await app.as('system').putAll(stay('p', discharge));
  await app.as('system').settle();
});

afterAll(async () => {
  await receiver?.close();
  await app?.close();
});

const code = `code=${ruleSystem}|RUP-20`;
const period = 'periodStart=2026-02-01&periodEnd=2026-03-31';
const shapes: readonly string[] = [
  'DetectedIssue?_total=accurate',
  'DetectedIssue?patient=q',
  `DetectedIssue?${code}&_sort=-identified&_count=1`,
  'DetectedIssue?_security:missing=false',
  'DetectedIssue/_history?_count=3',
  'Task?_total=accurate',
  'Task?patient=q&_include=Task:focus',
  'Task/_history',
  'Communication?_total=accurate',
  'Provenance?_total=accurate',
  'Encounter?_summary=count',
  'Encounter?_sort=-date',
  `Patient?_has:DetectedIssue:patient:${code}`,
  'Patient?_has:Encounter:subject:status=finished',
  'Patient?_id=q&_revinclude=DetectedIssue:patient&_revinclude=Task:patient&_revinclude:iterate=Provenance:target',
  'Patient/q/$breaks',
  'Patient/q/$everything',
  'Patient/q/*?_total=accurate',
  'Patient/q/$meta',
  'DetectedIssue/$meta',
  `Measure/ind-04/$evaluate-measure?${period}`,
  `Measure/ind-04/$evaluate-measure?${period}&reportType=subject-list`,
  `Measure/ind-10/$evaluate-measure?${period}`,
  'Subscription/$status',
];

async function answers(name: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const path of shapes) {
    const text = told(await app.as(name).get(path));
    found[path] = text.replaceAll(/_cursor=[^"&]+/g, '_cursor=').replaceAll(/made-\d+/g, 'made');
  }
  return found;
}

const issueOf = async (id: string) =>
  (await app.as('system').search<DetectedIssue>(`DetectedIssue?patient=${id}&${code}`))[0];

describe('F10, P13: a break of a masked stay', () => {
  it('carries its labels, changes no answer of who does not see it, and is told to nobody else', async () => {
    const channel = { type: 'rest-hook', endpoint: `${receiver.url}/doctor`, payload: 'application/fhir+json' };
    const terms = {
      resourceType: 'Subscription',
      status: 'requested',
      reason: 'essai',
      criteria: `DetectedIssue?${code}`,
    };
    expect((await app.as('doctor').post('Subscription', { ...terms, channel })).status).toBe(201);
    const socket = { ...terms, channel: { type: 'websocket' } };
    expect([201, 422]).toContain((await app.as('doctor').post('Subscription', socket)).status);
    await app.as('system').settle();
    // Of the stay that is not masked he hears, and sees why.
    const open = await issueOf('p');
    expect((await app.as('doctor').get(`DetectedIssue/${open?.id}/$explain`)).status).toBe(200);
    const before = await answers('doctor');
    expect(Object.values(before).filter((text) => text.startsWith('200')).length).toBeGreaterThan(20);
    receiver.forget();

    await app.as('system').putAll(stay('q', discharge, masked));
    await app.as('system').settle();
    const hidden = await issueOf('q');
    expect(hidden?.meta?.security).toContainEqual(expect.objectContaining({ code: 'MASQUE_PS' }));
    const after = await answers('doctor');
    expect(shapes.filter((path) => after[path] !== before[path])).toEqual([]);
    expect(receiver.received).toEqual([]);
    for (const rest of ['', '/_history', '/_history/1', '/$explain', '/$meta']) {
      const never = told(await app.as('doctor').get(`DetectedIssue/never-was${rest}`));
      expect(told(await app.as('doctor').get(`DetectedIssue/${hidden?.id}${rest}`))).toBe(never);
    }
    // Who may see the stay sees what was derived of it: the patient himself.
    const own = (await app.as('patientQ').get('DetectedIssue')).json.entry as { resource: DetectedIssue }[];
    expect(own.map(({ resource }) => resource.id)).toContain(hidden?.id);
    const tasks = await app.as('system').search(`Task?focus=DetectedIssue/${hidden?.id}`);
    expect(tasks.length).toBeGreaterThan(0);
    for (const task of tasks) expect(JSON.stringify(task.meta?.security)).toContain('MASQUE_PS');
  });

  it('keeps its labels when the mask is taken from the stay, until somebody may say otherwise', async () => {
    await app.as('system').putAll(stay('q', discharge));
    await app.as('system').settle();
    const kept = await issueOf('q');
    expect(kept?.meta?.security).toContainEqual(expect.objectContaining({ code: 'MASQUE_PS' }));
  });
});

describe('a caller of one circle', () => {
  it('asks for no figure of everybody, brings nothing in, and is shown no more by a rule of his own', async () => {
    const refused = [
      await app.as('doctor').get('PlanDefinition/suture-base/$counts'),
      await app.as('doctor').post('PlanDefinition/$backtest', { resourceType: 'Parameters' }),
      await app.as('doctor').post('$import', { resourceType: 'Parameters' }),
      await app.as('doctor').get('_history'),
      await app.as('doctor').get('$meta'),
      await app.as('doctor').post('PlanDefinition', { resourceType: 'PlanDefinition', status: 'active' }),
    ];
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
  });

  it('is bound to no websocket without a token of his own subscription', async () => {
    const other = await app.as('system').post('Subscription', {
      resourceType: 'Subscription',
      status: 'requested',
      reason: 'essai',
      criteria: `DetectedIssue?${code}`,
      channel: { type: 'rest-hook', endpoint: `${receiver.url}/other` },
    });
    const id = (other.json as { id: string }).id;
    const asked = told(await app.as('doctor').get(`Subscription/${id}/$get-ws-binding-token`));
    const never = told(await app.as('doctor').get('Subscription/never-was/$get-ws-binding-token'));
    expect(asked.replaceAll(id, 'never-was')).toBe(never);
    const url = `${app.client.baseUrl.replace('http', 'ws')}/$subscription-websocket`;
    const opened = await openSocket(url).catch(() => undefined);
    opened?.send('bind-with-token forged');
    await opened?.until(() => opened.closeCode !== undefined || opened.texts.length > 0).catch(() => undefined);
    expect((opened?.texts ?? []).join('')).not.toContain('DetectedIssue');
    opened?.close();
  });
});
