/** Who is called, when, and when not (src/breaks/calls.ts): the ladder, quiet hours, silences, the digest, nobody. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Communication, Task } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import {
  careTeam,
  episode,
  functions,
  gp,
  hospital,
  nurse,
  patient,
  person,
  practitioner,
  professionals,
  stay,
  suture,
} from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { breaks, extension, judgment, theBreak } from './view.ts';

const dayMs = 24 * 3_600_000;
let test: TestApp;
let client: Client;
let number = 0;

beforeAll(async () => {
  test = await startTestApp({ settings: { SUTURE_QUIET_HOURS: '21:00-07:00' } });
  client = test.client;
  await client.putAll(...professionals(), practitioner('chef', 'CHEVALIER', 'Anne', '10009900045'));
});
afterAll(() => test?.close());

function rule(
  code: string,
  more: { priority?: string; parts?: readonly object[]; roles?: readonly object[] },
): Resource {
  const days = (value: number, unit: string) => ({ value, unit, code: unit, system: 'http://unitsofmeasure.org' });
  return {
    resourceType: 'PlanDefinition',
    id: code.toLowerCase(),
    url: `urn:test:${code}`,
    version: '1',
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/plan-definition-type', code: 'eca-rule' }] },
    action: [
      {
        id: code,
        prefix: code,
        title: `Règle ${code}`,
        priority: more.priority ?? 'routine',
        code: [{ coding: [{ system: `${suture}/CodeSystem/break-rule`, code }] }],
        extension: [
          {
            url: `${suture}/StructureDefinition/rule-deadline`,
            extension: [
              { url: 'anchor', valueExpression: { language: 'text/fhirpath', expression: 'period.end' } },
              { url: 'delay', valueDuration: days(1, 'h') },
              { url: 'calendar', valueCode: 'hours' },
              ...(more.parts ?? []),
            ],
          },
        ],
        trigger: [{ type: 'data-changed', data: [{ type: 'Encounter' }] }],
        condition: [
          {
            kind: 'start',
            expression: { language: 'text/fhirpath', expression: `identifier.exists(value = '${code}')` },
          },
          { kind: 'stop', expression: { language: 'text/fhirpath', expression: 'length.exists()' } },
        ],
        participant: more.roles ?? [{ type: 'practitioner', role: { coding: [functions.coordinator] } }],
      },
    ],
  };
}

const step = (hours: number, role: object) => ({
  url: 'escalation',
  extension: [
    { url: 'after', valueDuration: { value: hours, unit: 'h', code: 'h', system: 'http://unitsofmeasure.org' } },
    { url: 'role', valueCodeableConcept: { coding: [role] } },
  ],
});

/** A contact that starts the rule of this code, and nothing else. */
function contact(id: string, code: string, end: string, more: object = {}): Resource {
  const amb = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'VR' };
  const identifier = [{ system: 'urn:test', value: code }];
  return stay(id, end, { id: `${id}-${code}`, class: amb, identifier, ...more });
}

async function change(...resources: readonly Resource[]): Promise<void> {
  await client.putAll(...resources);
  await client.settle();
}

async function alerts(id: string): Promise<readonly Communication[]> {
  const found = await client.search<Communication>(`Communication?subject=Patient/${id}&_count=100`);
  return [...found].sort((a, b) => Date.parse(a.sent ?? '') - Date.parse(b.sent ?? ''));
}

const at = (ms: number) => new Date(ms).toISOString();
const now = () => test.app.clock.now();

/** The next day at this hour, local (winter). */
async function tomorrowAt(hour: number): Promise<number> {
  const midnight = Math.floor((now() + 3_600_000) / dayMs) * dayMs - 3_600_000 + dayMs;
  const ms = midnight + hour * 3_600_000;
  await client.moveClock(at(ms));
  return ms;
}

describe('A break that nobody answers', () => {
  it('climbs the ladder of its rule: a step, another owner, a higher priority, one call for each', async () => {
    await change(rule('LADDER', { parts: [step(2, functions.gp), step(5, functions.dischargePhysician)] }));
    const who = person(`c${++number}`, number);
    const start = await tomorrowAt(9);
    const team = careTeam(who.id, { gp, coordinator: nurse, dischargePhysician: 'Practitioner/chef' });
    await change(patient(who), team, contact(who.id, 'LADDER', at(start)));
    await client.moveClock(at(start + 3_600_000));
    const owners: (string | undefined)[] = [];
    const levels: unknown[] = [];
    const fired: number[] = [];
    for (const hours of [1, 3, 6, 8]) {
      fired.push(await client.moveClock(at(start + hours * 3_600_000)));
      const { tasks } = await theBreak(client, who.id, 'LADDER');
      owners.push(tasks[0]?.owner?.reference);
      const level = tasks[0]?.extension?.find(({ url }) => url.endsWith('break-escalation'))?.valuePositiveInt;
      levels.push([level, tasks[0]?.priority]);
    }
    expect(owners).toEqual([nurse, gp, 'Practitioner/chef', 'Practitioner/chef']);
    expect(levels).toEqual([
      [undefined, 'routine'],
      [1, 'asap'],
      [2, 'urgent'],
      [2, 'urgent'],
    ]);
    // What a judgment writes asks for no other, which would find what it left; but after the last step no job waits that says so.
    expect(fired).toEqual([0, 1, 2, 0]);
    const told = await alerts(who.id);
    expect(told.map(({ recipient = [] }) => recipient.map(({ reference }) => reference))).toEqual([
      [nurse],
      [gp, nurse],
      ['Practitioner/chef', gp, nurse],
    ]);
    expect(told.map(({ sent }) => Date.parse(sent ?? ''))).toEqual([1, 3, 6].map((hours) => start + hours * 3_600_000));
    expect(told[2]?.payload?.[0]?.contentString).toMatch(/^Relance n° 2/);
  });

  it('is no reminder yet when the first step of its ladder is at once: it opens to both circles', async () => {
    await change(rule('LADDER0', { parts: [step(0, functions.gp), step(5, functions.dischargePhysician)] }));
    const who = person(`c${++number}`, number);
    const start = await tomorrowAt(9);
    await change(patient(who), careTeam(who.id, { gp, coordinator: nurse }), contact(who.id, 'LADDER0', at(start)));
    await client.moveClock(at(start + 3_600_000));
    const [told, ...others] = await alerts(who.id);
    expect([told?.recipient?.map(({ reference }) => reference), others]).toEqual([[gp, nurse], []]);
    expect(told?.payload?.[0]?.contentString).toMatch(/^LADDER0 : /);
    await client.moveClock(at(start + 6 * 3_600_000));
    expect((await alerts(who.id))[1]?.payload?.[0]?.contentString).toMatch(/^Relance n° 2/);
  });

  it('climbs no more once it is acknowledged', async () => {
    const who = person(`c${++number}`, number);
    const start = await tomorrowAt(9);
    await change(patient(who), careTeam(who.id), contact(who.id, 'LADDER', at(start)));
    await client.moveClock(at(start + 3_600_000));
    const { tasks } = await theBreak(client, who.id, 'LADDER');
    await change({ ...(tasks[0] as unknown as Resource), status: 'accepted' });
    await client.moveClock(at(start + 8 * 3_600_000));
    expect((await theBreak(client, who.id, 'LADDER')).tasks[0]?.owner?.reference).toBe(nurse);
    expect(await alerts(who.id)).toHaveLength(1);
  });
});

describe('In the quiet hours', () => {
  it('a break opens at its instant and is told in the morning; a critical one is told at once', async () => {
    await change(rule('CALM', {}), rule('CRISIS', { priority: 'stat' }));
    const who = person(`c${++number}`, number);
    const evening = await tomorrowAt(21);
    await change(
      patient(who),
      careTeam(who.id),
      contact(who.id, 'CALM', at(evening)),
      contact(who.id, 'CRISIS', at(evening)),
    );
    await client.moveClock(at(evening + 2 * 3_600_000));
    const dueMs = evening + 3_600_000;
    for (const code of ['CALM', 'CRISIS']) {
      const { issue, state } = await theBreak(client, who.id, code);
      expect([state, Date.parse(issue.identifiedDateTime ?? '')]).toEqual(['open', dueMs]);
    }
    expect((await theBreak(client, who.id, 'CALM')).alerts).toEqual([]);
    expect((await theBreak(client, who.id, 'CRISIS')).alerts).toHaveLength(1);
    await client.moveClock(at(evening + 11 * 3_600_000));
    const { alerts: told, tasks } = await theBreak(client, who.id, 'CALM');
    expect(told.map(({ sent }) => Date.parse(sent ?? ''))).toEqual([evening + 10 * 3_600_000]);
    expect(tasks[0]?.extension).toBeUndefined();
  });

  it('a break that is over by the morning is told to nobody', async () => {
    const who = person(`c${++number}`, number);
    const evening = await tomorrowAt(21);
    await change(patient(who), careTeam(who.id), contact(who.id, 'CALM', at(evening)));
    await client.moveClock(at(evening + 2 * 3_600_000));
    await change(contact(who.id, 'CALM', at(evening), { length: { value: 1, unit: 'h' } }));
    await client.moveClock(at(evening + 14 * 3_600_000));
    expect((await theBreak(client, who.id, 'CALM')).state).toBe('auto-closed');
    expect(await alerts(who.id)).toEqual([]);
  });
});

describe('A silence', () => {
  const silence = (id: string, end: string | undefined, more: readonly object[] = []): Resource => ({
    resourceType: 'Basic',
    id: `${id}-silence`,
    code: { coding: [{ system: `${suture}/CodeSystem/record-note`, code: 'silence' }] },
    subject: { reference: `Patient/${id}` },
    extension: [
      {
        url: `${suture}/StructureDefinition/silence`,
        extension: [
          { url: 'reason', valueString: 'famille en deuil, l’équipe sociale appelle' },
          ...(end === undefined ? [] : [{ url: 'period', valuePeriod: { end } }]),
          ...more,
        ],
      },
    ],
  });

  it('holds calls and the ladder until it ends; then one call tells of what is still open', async () => {
    const who = person(`c${++number}`, number);
    const start = await tomorrowAt(9);
    await change(patient(who), careTeam(who.id), silence(who.id, at(start + 4 * 3_600_000)));
    await change(contact(who.id, 'LADDER', at(start)), contact(who.id, 'CALM', at(start)));
    await client.moveClock(at(start + 4 * 3_600_000 - 1000));
    expect((await theBreak(client, who.id, 'LADDER')).state).toBe('open');
    expect(await alerts(who.id)).toEqual([]);
    await client.moveClock(at(start + 4 * 3_600_000));
    const told = await alerts(who.id);
    expect(told.map(({ about }) => about?.length)).toEqual([2]);
  });

  it('may be about one rule only', async () => {
    const who = person(`c${++number}`, number);
    const start = await tomorrowAt(9);
    const note = silence(who.id, at(start + 9 * 3_600_000), [{ url: 'rule', valueCode: 'CALM' }]);
    await change(patient(who), careTeam(who.id), note);
    await change(contact(who.id, 'LADDER', at(start)), contact(who.id, 'CALM', at(start)));
    await client.moveClock(at(start + 3_600_000));
    expect((await theBreak(client, who.id, 'LADDER')).alerts).toHaveLength(1);
    expect((await theBreak(client, who.id, 'CALM')).alerts).toEqual([]);
  });

  it('without an end is refused', async () => {
    const reply = await client.put(silence('c1', undefined));
    expect([reply.status, reply.json.issue?.[0]?.code]).toEqual([422, 'required']);
  });
});

describe('The digest', () => {
  it('tells an organisation once, in the morning, what was recorded without a call', async () => {
    const start = await tomorrowAt(9);
    for (let turn = 0; turn < 3; turn++) {
      const who = person(`c${++number}`, number);
      const long = { period: { end: at(start - 60 * dayMs) } };
      await change(patient(who), careTeam(who.id), contact(who.id, 'CALM', at(start), long));
      expect((await theBreak(client, who.id, 'CALM')).tasks).toEqual([]);
    }
    await client.moveClock(at(start + dayMs));
    const digests = (await client.search<Communication>(`Communication?category=notification&_count=100`)).filter(
      ({ payload = [] }) => payload.some(({ contentString }) => contentString === 'CALM : 3'),
    );
    expect(digests).toHaveLength(1);
    expect([digests[0]?.recipient, digests[0]?.about?.length, digests[0]?.subject]).toMatchObject([
      [{ reference: hospital }],
      3,
      undefined,
    ]);
  });

  it('tells of the breaks that a new rule finds in the old record; each has its Task', async () => {
    const start = await tomorrowAt(10);
    const who = person(`c${++number}`, number);
    await change(patient(who), careTeam(who.id), contact(who.id, 'NEWCOMER', at(start - 2 * dayMs)));
    await client.moveClock(at(start + 60_000));
    await change(rule('NEWCOMER', {}));
    const { state, tasks, alerts: told } = await theBreak(client, who.id, 'NEWCOMER');
    expect([state, tasks.map(({ status }: Task) => status), told]).toEqual(['open', ['requested'], []]);
    await client.moveClock(at(start + dayMs));
    const digests = await client.search<Communication>('Communication?category=notification&_count=100');
    expect(
      digests.some(({ payload = [] }) => payload.some(({ contentString }) => contentString === 'NEWCOMER : 1')),
    ).toBe(true);
  });
});

describe('The same person', () => {
  it('is told once, whatever references stand for him', async () => {
    const role = {
      resourceType: 'PractitionerRole',
      id: 'idec-morvan-role',
      practitioner: { reference: nurse },
      identifier: [{ system: 'https://rpps.esante.gouv.fr', value: '10009900037' }],
    };
    await change(role, practitioner('idec-double', 'MORVAN', 'Claire', '10009900037'));
    const who = person(`c${++number}`, number);
    const start = await tomorrowAt(9);
    const team = careTeam(who.id) as Resource & { participant: readonly object[] };
    const twice = ['PractitionerRole/idec-morvan-role', 'Practitioner/idec-double'].map((reference) => ({
      role: [{ coding: [functions.coordinator] }],
      member: { reference },
    }));
    await change(patient(who), { ...team, participant: [...team.participant, ...twice] });
    await change(contact(who.id, 'LADDER', at(start)));
    await client.moveClock(at(start + 3_600_000));
    const [alert] = await alerts(who.id);
    expect(alert?.recipient?.map(({ reference }) => reference)).toEqual([nurse]);
  });
});

describe('A break that nobody can be told of', () => {
  it('is itself a break of the care team, RUP-33, until somebody is there', async () => {
    const who = person(`c${++number}`, number);
    const start = await tomorrowAt(9);
    const nowhere = { serviceProvider: undefined };
    await change(patient(who), contact(who.id, 'CALM', at(start), nowhere));
    await client.moveClock(at(start + 2 * 3_600_000 - 1000));
    expect(await breaks(client, who.id, 'RUP-33')).toEqual([]);
    await client.moveClock(at(start + 2 * 3_600_000));
    expect((await theBreak(client, who.id, 'RUP-33')).state).toBe('open');
    expect(await judgment(client, who.id, 'RUP-33')).toMatchObject({ focus: `Patient/${who.id}`, state: 'broken' });
    const { tasks } = await theBreak(client, who.id, 'CALM');
    expect(tasks[0]?.owner).toBeUndefined();
    await change({ ...careTeam(who.id), period: { start: at(start) } });
    const after = await breaks(client, who.id, 'RUP-33');
    expect(after.map(({ state }) => state)).toEqual(['auto-closed']);
  });

  it('is one of the team only, where a team lacks its people', async () => {
    const { who } = { who: person(`c${++number}`, number) };
    await change(...episode(who, { coordinator: nurse }));
    await tomorrowAt(9);
    const found = await breaks(client, who.id, 'RUP-33');
    expect(found.map(({ issue }) => extension(issue, 'break-state')?.valueCode)).toEqual(['open']);
  });
});
