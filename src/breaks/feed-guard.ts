/**
 * No deadline fires while its feed is silent (feeds.ts): the judgment goes on waiting, the site gets one technical message,
 * and when something of the type comes from the site again, everybody who waited is judged. Breaks that are open stay so.
 * When the feed has ended instead, all that it held breaks at once: that is told in the digest, not by a call for each.
 */
import type { Ids, Log } from '../base/index.ts';
import type { Transaction } from '../db/index.ts';
import { formatLocal, type Resource } from '../fhir/index.ts';
import type { Rule } from '../rules/index.ts';
import { lastBreaks } from './expectations.ts';
import {
  dropHeldDeadlines,
  type Feed,
  type FeedHour,
  keepArrivals,
  keepHeldDeadlines,
  keepSilences,
  readHours,
  trimHours,
} from './feeds.sql.ts';
import { feedLimits, hourOf, type Silence, silenceOf } from './feeds.ts';
import type { Judged } from './judge-patient.ts';
import { isClosed } from './machine.ts';
import { type PatientRecord, withoutOwn } from './record.ts';
import { type Break, breakKey, buildDigest } from './resources.ts';
import { type Places, siteOf } from './sites.ts';

const arrivedMs = 24 * 3_600_000;
const notedMax = 20_000;
/** A feed that was found well is so for this long. */
const healthyMs = 60_000;

export interface GuardInput {
  readonly ids: Ids;
  readonly log: Log;
  readonly places: Places;
}

export interface Guarded {
  /** Some of them wait again. */
  readonly judged: readonly Judged[];
  /** The technical messages. */
  readonly messages: readonly Resource[];
  /** Whether a deadline on this focus was held until its feed had ended. */
  readonly isReleased: (focus: Resource) => boolean;
  /** To call when the transaction is committed. */
  readonly committed: () => void;
}

export interface FeedGuard {
  guard(tx: Transaction, of: { record: PatientRecord; judged: readonly Judged[]; nowMs: number }): Promise<Guarded>;
}

/** One for each instance: it remembers the hours it has noted, and the feeds it found well a moment ago. */
export function createFeedGuard(input: GuardInput): FeedGuard {
  const noted = new Set<string>();
  const healthy = new Map<string, number>();
  return {
    async guard(tx, { record, judged, nowMs }) {
      const arrivals = arrivalsOf(record, awaitedTypes(judged), nowMs).filter((one) => !noted.has(hourKey(one)));
      await keepArrivals(tx, arrivals, nowMs);
      const committed = (): void => {
        if (noted.size > notedMax) noted.clear();
        for (const one of arrivals) noted.add(hourKey(one));
      };
      const due = dueNow(record, judged);
      const found = await findSilent(tx, { due, healthy, nowMs });
      const silent = new Map([...found].filter(([, { endsMs }]) => nowMs < endsMs));
      const released = await releaseDeadlines(tx, {
        record,
        due,
        ended: [...found.values()].filter(({ endsMs }) => nowMs >= endsMs),
      });
      const isReleased = (focus: Resource): boolean => released.has(focus);
      if (silent.size === 0) return { judged, messages: [], isReleased, committed };
      const endsOf = (one: Judged): number =>
        Math.max(...feedsOf(one).map((feed) => silent.get(feedKey(feed))?.endsMs ?? -Infinity));
      const held = new Map(due.map((one) => [one, endsOf(one)] as const).filter(([, endsMs]) => endsMs > nowMs));
      await keepHeldDeadlines(tx, record.reference, [...silent.values()]);
      const told = await keepSilences(tx, [...silent.values()]);
      const messages = told.flatMap((feed) => silentMessage(input, silent.get(feedKey(feed)), nowMs));
      return { judged: judged.map((one) => waiting(one, held.get(one))), messages, isReleased, committed };
    },
  };
}

const feedKey = ({ site, type }: Feed): string => `${site} ${type}`;
const hourKey = (one: FeedHour): string => `${feedKey(one)} ${one.hourMs}`;

/** What a rule waits for is what it reads. */
function typesOf({ inputs }: Rule): readonly string[] {
  return [...new Set(inputs.map(({ type }) => type))];
}

function awaitedTypes(judged: readonly Judged[]): ReadonlySet<string> {
  return new Set(judged.flatMap(({ rule }) => typesOf(rule)));
}

function feedsOf({ rule, site }: Judged): readonly Feed[] {
  return site === undefined ? [] : typesOf(rule).map((type) => ({ site, type }));
}

function arrivalsOf(whole: PatientRecord, types: ReadonlySet<string>, nowMs: number): readonly FeedHour[] {
  const record = withoutOwn(whole);
  const found = new Map<string, FeedHour>();
  for (const type of types) {
    for (const resource of record.byType.get(type) ?? []) {
      const atMs = Date.parse(resource.meta?.lastUpdated ?? '');
      if (!(nowMs - atMs < arrivedMs)) continue;
      const site = siteOf(record, resource);
      if (site === undefined) continue;
      const one = { site, type, hourMs: hourOf(atMs) };
      found.set(hourKey(one), one);
    }
  }
  return [...found.values()];
}

interface Released {
  readonly record: PatientRecord;
  readonly due: readonly Judged[];
  readonly ended: readonly SilentFeed[];
}

/** The foci of deadlines that were held for feeds which have ended. */
async function releaseDeadlines(tx: Transaction, { record, due, ended }: Released): Promise<ReadonlySet<Resource>> {
  if (ended.length === 0) return new Set();
  const dropped = new Set((await dropHeldDeadlines(tx, record.reference, ended)).map(feedKey));
  const waited = due.filter((one) => feedsOf(one).some((feed) => dropped.has(feedKey(feed))));
  return new Set(waited.map(({ focus }) => focus));
}

/** The judgment as the guard has left it, of a patient who waits for these feeds. */
export function asHeld(one: Judged, feeds: readonly Feed[], breaks: ReadonlyMap<string, Break>): Judged {
  const waits = feedsOf(one).some((feed) => feeds.some((held) => feedKey(held) === feedKey(feed)));
  return waits && isUntold(one, breaks) && isDue(one) ? waiting(one, Infinity) : one;
}

/** Deadlines that passed and that nobody has been told of yet. */
function dueNow(record: PatientRecord, judged: readonly Judged[]): readonly Judged[] {
  const due = judged.filter((one) => isDue(one) && feedsOf(one).length > 0);
  if (due.length === 0) return due;
  const breaks = lastBreaks(record);
  return due.filter((one) => isUntold(one, breaks));
}

function isDue({ ruleSet, result, inhibitedBy }: Judged): boolean {
  return (
    ruleSet.mode === 'active' &&
    inhibitedBy === undefined &&
    result.kind === 'judgment' &&
    result.state === 'broken' &&
    result.timing?.dueAtMs !== undefined
  );
}

function isUntold({ rule, focusKey, facts }: Judged, breaks: ReadonlyMap<string, Break>): boolean {
  const state = breaks.get(breakKey(rule.code, `Patient/${facts.patient?.id ?? ''}`, focusKey))?.known.state;
  return state === undefined || state === 'pre-alert' || isClosed(state);
}

type SilentFeed = Feed & Silence;

async function findSilent(
  tx: Transaction,
  { due, healthy, nowMs }: { due: readonly Judged[]; healthy: Map<string, number>; nowMs: number },
): Promise<ReadonlyMap<string, SilentFeed>> {
  const isKnownWell = (feed: Feed): boolean => {
    const ageMs = nowMs - (healthy.get(feedKey(feed)) ?? -Infinity);
    return ageMs >= 0 && ageMs < healthyMs;
  };
  const feeds = new Map(due.flatMap(feedsOf).map((feed) => [feedKey(feed), feed]));
  const asked = [...feeds.values()].filter((feed) => !isKnownWell(feed));
  if (asked.length === 0) return new Map();
  // The pattern lies before the last arrival, which may be long ago.
  const rows = await readHours(tx, asked, nowMs - 13 * feedLimits.patternMs);
  const silent = rows.flatMap(({ hours, ...feed }): SilentFeed[] => {
    const silence = silenceOf(hours, nowMs);
    return silence === undefined ? [] : [{ ...feed, ...silence }];
  });
  const keys = new Map(silent.map((feed) => [feedKey(feed), feed]));
  const well = asked.filter((feed) => !keys.has(feedKey(feed)));
  if (healthy.size > notedMax) healthy.clear();
  for (const feed of well) healthy.set(feedKey(feed), nowMs);
  await trimHours(tx, well, nowMs - 2 * feedLimits.patternMs);
  return keys;
}

/** Judged again when the feed has ended; undefined: it is not held. */
function waiting(one: Judged, endsMs: number | undefined): Judged {
  const { result } = one;
  if (endsMs === undefined || result.kind !== 'judgment' || result.timing === undefined) return one;
  const timing = { ...result.timing, noticeAtMs: undefined };
  const reviewAtMs = Number.isFinite(endsMs) ? [...result.reviewAtMs, endsMs] : result.reviewAtMs;
  return { ...one, result: { ...result, timing, reviewAtMs, state: 'waiting', reason: 'feed-silent' } };
}

function silentMessage(
  { ids, log, places }: GuardInput,
  feed: SilentFeed | undefined,
  nowMs: number,
): readonly Resource[] {
  if (feed === undefined) return [];
  const { site, type, sinceMs } = feed;
  // Told by the message below; no fault of this server.
  log.info(
    { component: 'feeds', resource: site, reason: type },
    'a feed is silent: deadlines that wait for it are held',
  );
  const since = formatLocal(sinceMs, places.usual.dates.zone).slice(0, 16).replace('T', ' ');
  return [
    buildDigest({
      id: ids.next(nowMs),
      issues: [],
      recipient: site,
      sent: formatLocal(nowMs, places.usual.dates.zone),
      lines: [
        {
          fr: `Alerte technique : plus aucune ressource ${type} de ce site depuis le ${since}, plus longtemps que d'habitude. Les échéances qui en dépendent sont retenues ; elles seront jugées dès que le flux reprendra, au plus tard après deux semaines.`,
          en: `Technical alert: no ${type} has come from this site since ${since}, for longer than usual. Deadlines that depend on it are held; they are judged as soon as the feed returns, after two weeks at the latest.`,
        },
      ],
    }),
  ];
}
