/**
 * The dated scenarios that need a server, by their numbers (the others: test/breaks/dated-scenarios.test.ts): deliveries that
 * repeat, races at the deadline, crashes, downtime, a subscriber that is away. Run in processes of three time zones by
 * dated-zones.test.ts. Number 26 has no waiting for the group: who is called at midnight about a letter that commits a moment
 * later is called for nothing, and the break closes as known late.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Bundle, Communication, DetectedIssue, MeasureReport, Subscription } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { episode, person, professionals, restHook, ruleSystem, stay, suture } from '../support/builders.ts';
import type { Client } from '../support/client.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';
import { breaks, extension, judgment, theBreak } from './view.ts';

const dayMs = 24 * 3_600_000;

let test: TestApp;
let client: Client;
let receiver: Receiver;
let number = 0;
/** The stories follow each other, each on a day of its own. */
let dayOfStory = Date.parse('2026-03-02T00:00:00+01:00');

beforeAll(async () => {
  test = await startTestApp({ clock: '2026-03-02T08:00:00+01:00' });
  client = test.client;
  receiver = await openReceiver();
  await client.putAll(...professionals());
}, 120_000);
afterAll(async () => {
  await receiver?.close();
  await test?.close();
}, 60_000);

const at = (instantMs: number): string => new Date(instantMs).toISOString();

interface Scene {
  /** Of the discharge, at 16:20. */
  readonly endMs: number;
  /** When the letter is due. */
  readonly midnightMs: number;
  readonly ids: readonly string[];
}

/** People whose stays end on the next day of the calendar; the clock stands a little after. */
async function discharge(count: number): Promise<Scene> {
  const startMs = dayOfStory;
  dayOfStory += 2 * dayMs;
  const endMs = startMs + (16 * 60 + 20) * 60_000;
  await client.moveClock(at(endMs + 60_000));
  const people = Array.from({ length: count }, () => person(`d${++number}`, number));
  await write(people.flatMap((who) => [...episode(who), stay(who.id, at(endMs))]));
  await client.settle();
  return { endMs, midnightMs: startMs + dayMs, ids: people.map(({ id }) => id) };
}

async function write(resources: readonly Resource[]): Promise<void> {
  const entry = resources.map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id ?? ''}` },
  }));
  const { status, text } = await client.post('', { resourceType: 'Bundle', type: 'batch', entry });
  if (status !== 200 || /"status":"[45]/.test(text)) throw new Error(text.slice(0, 500));
}

function letter(id: string, writtenMs: number): Resource {
  return {
    resourceType: 'DocumentReference',
    id: `${id}-letter`,
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '11490-0' }] },
    subject: { reference: `Patient/${id}` },
    date: at(writtenMs),
    content: [{ attachment: { contentType: 'application/pdf', creation: at(writtenMs) } }],
    context: { encounter: [{ reference: `Encounter/${id}-stay` }] },
  };
}

/** State, closing reason, due instant, how many Tasks and alerts of each break of RUP-20. */
async function told(id: string): Promise<readonly unknown[]> {
  return (await breaks(client, id, 'RUP-20')).map(({ state, reason, due, tasks, alerts }) => [
    state,
    reason,
    due === undefined ? undefined : at(Date.parse(due)),
    tasks.length,
    alerts.length,
  ]);
}

jest.setTimeout(120_000);

describe('Scenarios that need a server', () => {
  it('(18) a stay entered in error: subscribers are told cancelled, and no indicator counts it', async () => {
    const { ids, midnightMs, endMs } = await discharge(2);
    const [wrong = '', right = ''] = ids;
    const month = async () => {
      const range = `periodStart=${at(endMs).slice(0, 10)}&periodEnd=${at(endMs).slice(0, 10)}`;
      const report = await client.read<MeasureReport>(`Measure/ind-04/$evaluate-measure?${range}`);
      return report.group?.[0]?.population?.map(({ count }) => count);
    };
    await client.putAll(
      restHook('told-18', `DetectedIssue?code=${ruleSystem}|RUP-20`, `${receiver.url}/18`, 'application/fhir+json'),
    );
    await client.moveClock(at(midnightMs));
    expect(await month()).toEqual([2, 2, 0]);
    receiver.forget();
    await client.putAll(stay(wrong, at(endMs), { status: 'entered-in-error' }));
    await client.settle();
    const bodies = receiver.received.map(({ body }) => JSON.parse(body) as DetectedIssue);
    expect(bodies.map((issue) => [issue.status, extension(issue, 'break-state')?.valueCode])).toEqual([
      ['cancelled', 'moot'],
    ]);
    const { reason, tasks } = await theBreak(client, wrong, 'RUP-20');
    expect([reason, tasks.map(({ status }) => status)]).toEqual(['entered-in-error', ['cancelled']]);
    expect(await month()).toEqual([1, 1, 0]);
    expect((await theBreak(client, right, 'RUP-20')).state).toBe('open');
  });

  it('(25) an import of all that is there, twice: no new break, no new Task, no new notice', async () => {
    const { ids, midnightMs, endMs } = await discharge(2);
    const [late = '', never = ''] = ids;
    await client.moveClock(at(midnightMs + 3_600_000));
    await write([letter(late, midnightMs + 1_800_000)]);
    await client.settle();
    const before = [await told(late), await told(never)];
    expect(before).toEqual([
      [['auto-closed', 'late', at(midnightMs), 1, 1]],
      [['open', undefined, at(midnightMs), 1, 1]],
    ]);
    receiver.forget();
    const all = [late, never].flatMap((id) => [...episode(person(id, Number(id.slice(1)))), stay(id, at(endMs))]);
    const last = all.filter(({ id, status }) => !(id?.endsWith('-stay') === true && status === 'in-progress'));
    for (let turn = 0; turn < 2; turn++) await write([...last, letter(late, midnightMs + 1_800_000)]);
    await client.settle();
    expect([await told(late), await told(never)]).toEqual(before);
    expect(receiver.received).toEqual([]);
  });

  it('(26) the letter commits while the deadline fires: whichever is first, nothing stays open', async () => {
    const { ids, midnightMs } = await discharge(6);
    const letters = ids.map((id) => letter(id, midnightMs - 100));
    const [first, ...others] = letters as [Resource, ...Resource[]];
    const last = others.pop() as Resource;
    await client.moveClock(at(midnightMs - 100));
    await client.putAll(first);
    await Promise.all([client.moveClock(at(midnightMs)), ...others.map((one) => client.put(one))]);
    await client.putAll(last);
    await client.settle();
    for (const id of ids) {
      expect(await judgment(client, id, 'RUP-20')).toMatchObject({ state: 'met' });
      for (const { state } of await breaks(client, id, 'RUP-20')) expect(['auto-closed', 'moot']).toContain(state);
    }
    // Before the deadline the letter calls nobody; after it the break is closed as known late.
    expect(await told(ids[0] ?? '')).toEqual([['moot', 'met', at(midnightMs), 1, 0]]);
    expect(await told(ids.at(-1) ?? '')).toEqual([['auto-closed', 'met-in-time-known-late', at(midnightMs), 1, 1]]);
  });

  it('(27) two instances take the same deadlines: one break each', async () => {
    const { ids, midnightMs } = await discharge(8);
    const other = await test.another();
    try {
      for (const one of [client, other.client]) await one.moveClock(at(midnightMs - 1000));
      await Promise.all([client.moveClock(at(midnightMs)), other.client.moveClock(at(midnightMs))]);
      await Promise.all([client.settle(), other.client.settle()]);
    } finally {
      await other.stop();
    }
    for (const id of ids) expect(await told(id)).toEqual([['open', undefined, at(midnightMs), 1, 1]]);
  });

  it('(27) an instance whose clock is behind takes nothing back that another has seen', async () => {
    const { ids, midnightMs } = await discharge(4);
    const other = await test.another();
    try {
      await other.client.moveClock(at(midnightMs - 1000));
      await client.moveClock(at(midnightMs));
      const notes = ids.map((id) => ({ ...stay(id, at(midnightMs - dayMs / 3)), length: { value: 3, unit: 'd' } }));
      for (const note of notes) await other.client.put(note);
      await Promise.all([client.settle(), other.client.settle()]);
    } finally {
      await other.stop();
    }
    for (const id of ids) expect(await told(id)).toEqual([['open', undefined, at(midnightMs), 1, 1]]);
  });

  it('(29) whoever judges is cut off at the deadline, again and again: one break each, told once', async () => {
    const { ids, midnightMs } = await discharge(8);
    const moving = client.moveClock(at(midnightMs)).catch(() => undefined);
    for (let turn = 0; turn < 6; turn++) {
      await test.database
        .query({
          text: `select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid() and query ilike '%judg%'`,
        })
        .catch(() => undefined); // its own connection may be the one that is cut
    }
    await moving;
    await client.moveClock(at(midnightMs));
    await client.settle();
    for (const id of ids) expect(await told(id)).toEqual([['open', undefined, at(midnightMs), 1, 1]]);
  });

  it('(31) a subscriber that is away for three days: the numbers go on, it comes back by itself only', async () => {
    const topic = `${suture}/SubscriptionTopic/break-opened`;
    const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-';
    const hook = restHook('away', topic, `${receiver.url}/away`, 'application/fhir+json');
    const extended = {
      ...hook,
      meta: { profile: [`${backport}subscription`] },
      channel: {
        ...(hook['channel'] as object),
        extension: [{ url: `${backport}max-count`, valuePositiveInt: 2 }],
        _payload: { extension: [{ url: `${backport}payload-content`, valueCode: 'id-only' }] },
      },
    };
    await client.putAll(extended);
    await client.settle();
    receiver.forget();
    receiver.answer(({ path }) => ({ status: path === '/away' ? 503 : 200 }));
    for (let turn = 0; turn < 3; turn++) {
      const { midnightMs } = await discharge(1);
      await client.moveClock(at(midnightMs));
    }
    expect((await client.read<Subscription>('Subscription/away')).status).toBe('error');
    const attempts = receiver.received.length;
    await client.moveClock(at(dayOfStory));
    expect(receiver.received).toHaveLength(attempts);
    const missed = (await client.read<Bundle>('Subscription/away/$events?eventsSinceNumber=1')) as unknown as Resource;
    expect(eventNumbers(missed).slice(0, 3)).toEqual(['1', '2', '3']);
    receiver.forget();
    await client.putAll({ ...(await client.read('Subscription/away')), status: 'requested' });
    await client.settle();
    const calls = receiver.received
      .filter(({ path }) => path === '/away')
      .map(({ body }) => JSON.parse(body) as Resource);
    const numbers = calls.map(eventNumbers);
    expect(numbers[0]).toEqual([]);
    expect(numbers.slice(1).every((batch) => batch.length <= 2)).toBe(true);
    expect(numbers.flat()).toEqual(numbers.flat().map((_one, index) => String(index + 1)));
    expect(numbers.flat()).toEqual(eventNumbers(missed));
    await client.remove('Subscription/away');
  });

  it('(30) down for a week, forty deadlines, fifteen letters there: 25 breaks, due when they were, one digest', async () => {
    const { ids, midnightMs, endMs } = await discharge(40);
    const written = ids.slice(0, 15);
    await write(written.map((id) => letter(id, endMs + 60_000)));
    const backMs = midnightMs + 6 * dayMs + 9 * 3_600_000;
    test = await test.restart({ SUTURE_CLOCK: at(backMs) });
    client = test.client;
    await client.settle();
    const issues = await client.search<DetectedIssue>(`DetectedIssue?code=${ruleSystem}|RUP-20&_count=200`);
    const found = issues.filter(({ patient }) => ids.some((id) => patient?.reference === `Patient/${id}`));
    expect(found.map(({ patient }) => patient?.reference).sort()).toEqual(
      ids
        .slice(15)
        .map((id) => `Patient/${id}`)
        .sort(),
    );
    for (const issue of found) {
      const due = extension(issue, 'break-due')?.valueDateTime ?? '';
      expect([due, issue.identifiedDateTime ?? ''].map(Date.parse)).toEqual([midnightMs, backMs]);
    }
    for (const id of ids.slice(15, 18)) expect(await told(id)).toEqual([['open', undefined, at(midnightMs), 1, 0]]);
    await client.moveClock(at(backMs + 23 * 3_600_000));
    const digests = (await client.search<Communication>('Communication?category=notification&_count=100')).filter(
      ({ payload = [] }) => payload.some(({ contentString }) => contentString === 'RUP-20 : 25'),
    );
    expect(digests).toHaveLength(1);
  });

  it('(23) two records of one person: both breaks stay, under the survivor; either name answers; unmerged, each has its own', async () => {
    dayOfStory = Date.parse('2026-04-14T00:00:00+02:00');
    const { ids, midnightMs, endMs } = await discharge(2);
    const [kept = '', gone = ''] = ids;
    await client.moveClock(at(midnightMs + 3_600_000));
    const states = async (id: string) => (await told(id)).map((one) => (one as readonly unknown[]).slice(0, 3));
    const open = ['open', undefined, at(midnightMs)];
    expect([await states(kept), await states(gone)]).toEqual([[open], [open]]);
    const former = await client.read<Resource>(`Patient/${gone}`);
    const { meta: _meta, ...record } = former;
    const link = [{ type: 'replaced-by', other: { reference: `Patient/${kept}` } }];
    await client.putAll({ ...record, active: false, link });
    await client.settle();
    expect([await states(kept), await states(gone)]).toEqual([[open, open], []]);
    await client.putAll({ ...letter(gone, endMs + 60_000), subject: { reference: `Patient/${kept}` } });
    await client.settle();
    const closed = ['auto-closed', 'met-in-time-known-late', at(midnightMs)];
    expect((await states(kept)).map(([state]) => state).sort()).toEqual(['auto-closed', 'open']);
    expect(await states(kept)).toContainEqual(closed);
    await client.putAll(record);
    await client.settle();
    // The letter stays with the survivor: the stay has none again.
    expect([await states(kept), await states(gone)]).toEqual([[open], [open]]);
  });

  it('(23) then one stay that both records tell of: one break, the other ends with a link; evidence of either counts; unmerged, each has its own', async () => {
    const { ids, midnightMs, endMs } = await discharge(2);
    const [kept = '', gone = ''] = ids;
    // The feed of the other record numbers stays by itself.
    const identifier = [{ system: 'urn:oid:1.2.250.1.999.8', value: `A-${gone}` }];
    await client.putAll(stay(gone, at(endMs + 600_000), { identifier }));
    await client.moveClock(at(midnightMs + 3_600_000));
    const states = async (id: string) => (await told(id)).map((one) => (one as readonly unknown[]).slice(0, 2));
    expect([await states(kept), await states(gone)]).toEqual([[['open', undefined]], [['open', undefined]]]);
    const { meta: _meta, ...record } = await client.read<Resource>(`Patient/${gone}`);
    const link = [{ type: 'replaced-by', other: { reference: `Patient/${kept}` } }];
    await client.putAll({ ...record, active: false, link });
    await client.settle();
    expect((await states(kept)).map(([state]) => state).sort()).toEqual(['moot', 'open']);
    const ended = (await breaks(client, kept, 'RUP-20')).find(({ state }) => state === 'moot');
    expect(ended?.issue.evidence?.[0]?.detail).toEqual([{ reference: `Encounter/${kept}-stay` }]);
    expect(ended?.tasks.map(({ status }) => status)).toEqual(['cancelled']);

    await client.putAll(letter(gone, endMs + 1_200_000));
    await client.settle();
    expect((await states(kept)).map(([state]) => state).sort()).toEqual(['auto-closed', 'moot']);
    await client.remove(`DocumentReference/${gone}-letter`);
    await client.putAll(record);
    await client.settle();
    expect([await states(kept), await states(gone)]).toEqual([[['open', undefined]], [['open', undefined]]]);
  });

  it('(28) a rule of seven days becomes one of five: pinned, then migrated on request, then rolled back', async () => {
    const { ids, midnightMs } = await discharge(20);
    const [id = ''] = ids;
    const { dueAt = '' } = await judgment(client, id, 'RUP-23');
    await client.moveClock(at(midnightMs + 5.5 * dayMs));
    const {
      meta: _meta,
      contained: _fixtures,
      ...shipped
    } = await client.read<Resource>(`PlanDefinition/${homeRules}`);
    await client.putAll({ ...withDelay(shipped, 'RUP-23', 5), version: '2.5.0' });
    await client.settle();
    expect(await judgment(client, id, 'RUP-23')).toMatchObject({ state: 'waiting', dueAt });

    const [{ due }] = (await test.database.query({
      text: `select count(*)::integer as due from judgment
             where rule = 'RUP-23' and state = 'waiting' and due_at - interval '2 days' <= $1`,
      values: [at(midnightMs + 5.5 * dayMs)],
    })) as [{ due: number }];
    expect(due).toBeGreaterThanOrEqual(ids.length);
    expect(await applyVersion(true)).toMatchObject({ dryRun: true, opened: due, closed: 0 });
    expect(await breaks(client, id, 'RUP-23')).toEqual([]);
    await applyVersion(false);
    const opened = await theBreak(client, id, 'RUP-23');
    expect([opened.state, Date.parse(opened.due ?? ''), opened.alerts]).toEqual([
      'open',
      Date.parse(dueAt) - 2 * dayMs,
      [],
    ]);
    expect(opened.issue.reference).toMatch(/\|2\.5\.0$/);
    await client.moveClock(at(midnightMs + 6.5 * dayMs));
    const line = `RUP-23 : ${due}`;
    const digests = (await client.search<Communication>('Communication?category=notification&_count=200')).filter(
      ({ payload = [] }) => payload.some(({ contentString }) => contentString === line),
    );
    expect(digests).toHaveLength(1);

    await client.putAll({ ...shipped, version: '2.6.0' });
    await applyVersion(false);
    expect((await theBreak(client, id, 'RUP-23')).state).toBe('moot');
    expect(await judgment(client, id, 'RUP-23')).toMatchObject({ state: 'waiting', dueAt });
  });
});

const homeRules = 'follow-up-at-home';

function withDelay(ruleSet: Resource, rule: string, days: number): Resource {
  const text = JSON.stringify(ruleSet['action']);
  const at = text.indexOf(`"id":"${rule}"`);
  const changed = text.slice(at).replace(/("url":"delay","valueDuration":\{"value":)\d+/, `$1${days}`);
  return { ...ruleSet, action: JSON.parse(text.slice(0, at) + changed) as unknown };
}

/** Numbers of the answer by name. */
async function applyVersion(dryRun: boolean): Promise<Readonly<Record<string, unknown>>> {
  const parameter = [{ name: 'dryRun', valueBoolean: dryRun }];
  const { status, json } = await client.post(`PlanDefinition/${homeRules}/$apply-version`, {
    resourceType: 'Parameters',
    parameter,
  });
  expect(status).toBe(200);
  await client.settle();
  const parts = (json as { parameter: readonly Readonly<Record<string, unknown>>[] }).parameter;
  return Object.fromEntries(parts.map(({ name, ...value }) => [name, Object.values(value)[0]]));
}

interface Named {
  readonly name: string;
  readonly part?: readonly (Named & { readonly valueString?: string })[];
}

function eventNumbers(bundle: Resource): readonly string[] {
  const [first] = (bundle['entry'] ?? []) as readonly { resource?: { parameter?: readonly Named[] } }[];
  const events = (first?.resource?.parameter ?? []).filter(({ name }) => name === 'notification-event');
  return events.map(({ part = [] }) => part.find(({ name }) => name === 'event-number')?.valueString ?? '');
}
