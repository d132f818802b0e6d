/**
 * When the expected thing was recorded, for rules that have no `metAt`: the earliest `lastUpdated` up to which the
 * record already meets the rule. It moves when such a resource is changed later; an engine that remembers when a
 * judgment first became met passes that as `metSince`.
 */
import { formatLocal, type Resource } from '../fhir/index.ts';
import { readTiming } from './deadline.ts';
import { isError, startRun } from './evaluation.ts';
import type { Case } from './evidence.ts';
import type { Rule } from './rule.ts';

export interface MetAt {
  /** As written. */
  readonly text: string;
  readonly fromMs: number;
  /** When the resource that shows it was recorded. */
  readonly knownAtMs: number | undefined;
  readonly origin: Resource | undefined;
}

const instantsMax = 100;

export function recordedMetAt(rule: Rule, facts: Case): MetAt {
  const since = facts.metSince === undefined ? undefined : facts.place.dates.range(facts.metSince)?.lo;
  const fromMs = since ?? findRecordedMs(rule, facts);
  return { text: formatLocal(fromMs, facts.place.dates.zone), fromMs, knownAtMs: fromMs, origin: undefined };
}

function findRecordedMs(rule: Rule, facts: Case): number {
  const arriving = [...Object.values(facts.inputs).flat(), ...(rule.uses.has('team') ? facts.team : [])];
  const instants = [...new Set(arriving.map((resource) => recordedMs(resource, facts)))].sort((a, b) => a - b);
  const standing = [facts.focus, ...(rule.met.uses.has('patient') && facts.patient ? [facts.patient] : [])];
  const standingMs = Math.max(...standing.map((resource) => recordedMs(resource, facts)));
  if (rule.metOnItsOwn) return standingMs;
  if (instants.length > instantsMax) return instants.at(-1) ?? standingMs;
  if (isMetBy(rule, facts, -Infinity)) return standingMs;
  return instants.find((atMs) => isMetBy(rule, facts, atMs)) ?? standingMs;
}

/** Whether what had been recorded up to then meets the rule. */
function isMetBy(rule: Rule, facts: Case, atMs: number): boolean {
  const isThere = (resource: Resource): boolean => recordedMs(resource, facts) <= atMs;
  const inputs = Object.fromEntries(
    Object.entries(facts.inputs).map(([name, resources]) => [name, resources.filter(isThere)]),
  );
  const earlier = { ...facts, inputs, team: facts.team.filter(isThere) };
  const run = startRun(rule, earlier);
  run.bind(inputs);
  return !isError(readTiming(rule, earlier, run)) && run.condition('met', rule.met) === true;
}

function recordedMs(resource: Resource, { place, nowMs }: Case): number {
  const { lastUpdated } = resource.meta ?? {};
  return (lastUpdated === undefined ? undefined : place.dates.range(lastUpdated)?.lo) ?? nowMs;
}
