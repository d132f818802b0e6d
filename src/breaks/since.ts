/**
 * Since when a rule holds on its focus: `lastUpdated` of the first version of the present unbroken run in which `starts`
 * was true. Read from the history, because versions may follow each other faster than judgments do.
 */
import type { Resource } from '../fhir/index.ts';
import { type Place, type Rule, startsOn } from '../rules/index.ts';
import { everything, type Session } from '../store/index.ts';
import type { KnownJudgment } from './judge-patient.ts';

/** Beyond so many versions the oldest one read counts. */
const versionsMax = 200;

export interface SinceInput {
  readonly rule: Rule;
  readonly focus: Resource;
  readonly elementKey?: string | undefined;
  readonly patient: Resource | undefined;
  readonly place: Place;
  readonly nowMs: number;
  readonly known: KnownJudgment | undefined;
}

/** Undefined when the rule does not start on a focus of several versions as it is now. */
export async function findSince(session: Pick<Session, 'history'>, input: SinceInput): Promise<string | undefined> {
  const { rule, focus, known } = input;
  const version = versionOf(focus);
  if (version === 1) return focus.meta?.lastUpdated;
  const facts = { ...input, team: [], gp: [] };
  if (!startsOn(rule, facts)) return undefined;
  if (known?.focusVersion === version && known.since !== undefined) return known.since;
  const isStarted = (former: Resource): boolean => startsOn(rule, { ...facts, focus: former });
  return (await oldestOfRun(session, focus, isStarted)).meta?.lastUpdated;
}

function versionOf(resource: Resource): number {
  return Number(resource.meta?.versionId ?? 1);
}

/** The first version of the unbroken run that ends with this one. */
async function oldestOfRun(
  session: Pick<Session, 'history'>,
  focus: Resource,
  isStarted: (former: Resource) => boolean,
): Promise<Resource> {
  const history = await session.history(focus.resourceType, focus.id ?? '', { limit: versionsMax }, everything);
  let oldest = focus;
  for (const stored of history.filter(({ version }) => version < versionOf(focus))) {
    const former = stored.isDeleted ? undefined : (JSON.parse(stored.raw) as Resource);
    if (former === undefined || !isStarted(former)) break;
    oldest = former;
  }
  return oldest;
}
