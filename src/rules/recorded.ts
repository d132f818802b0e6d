/**
 * When the expected thing was recorded, for rules that have no `metAt`: the earliest `lastUpdated` up to which the
 * record already meets the rule. It moves when such a resource is changed later; an engine that remembers when a
 * judgment first became met passes that as `metSince`.
 */
import { formatInstant } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
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
  const known = facts.metSince === undefined ? undefined : readInstant(facts.metSince, facts);
  const { text, fromMs } = known ?? findRecorded(rule, facts);
  return { text, fromMs, knownAtMs: fromMs, origin: undefined };
}

interface Instant {
  readonly text: string;
  readonly fromMs: number;
}

function findRecorded(rule: Rule, facts: Case): Instant {
  const standing = latest(
    [facts.focus, ...(rule.met.uses.has('patient') && facts.patient ? [facts.patient] : [])],
    facts,
  );
  if (rule.metOnItsOwn) return standing;
  const arriving = [...Object.values(facts.inputs).flat(), ...(rule.uses.has('team') ? facts.team : [])];
  const instants = arriving.map((resource) => recordedAt(resource, facts)).sort((a, b) => a.fromMs - b.fromMs);
  if (instants.length > instantsMax) return instants.at(-1) ?? standing;
  if (isMetBy(rule, facts, -Infinity)) return standing;
  return instants.find(({ fromMs }) => isMetBy(rule, facts, fromMs)) ?? standing;
}

/** Whether what had been recorded up to then meets the rule. */
function isMetBy(rule: Rule, facts: Case, atMs: number): boolean {
  const isThere = (resource: Resource): boolean => recordedAt(resource, facts).fromMs <= atMs;
  const inputs = Object.fromEntries(
    Object.entries(facts.inputs).map(([name, resources]) => [name, resources.filter(isThere)]),
  );
  const earlier = { ...facts, inputs, team: facts.team.filter(isThere) };
  const run = startRun(rule, earlier);
  run.bind(inputs);
  return !isError(readTiming(rule, earlier, run)) && run.condition('met', rule.met) === true;
}

function latest(resources: readonly Resource[], facts: Case): Instant {
  const instants = resources.map((resource) => recordedAt(resource, facts));
  return instants.reduce((best, next) => (next.fromMs > best.fromMs ? next : best));
}

/** What carries no time of recording is being recorded now. */
function recordedAt(resource: Resource, facts: Case): Instant {
  const { lastUpdated } = resource.meta ?? {};
  return (
    (lastUpdated === undefined ? undefined : readInstant(lastUpdated, facts)) ?? {
      text: formatInstant(facts.nowMs),
      fromMs: facts.nowMs,
    }
  );
}

function readInstant(text: string, { place }: Case): Instant | undefined {
  const span = place.dates.range(text);
  return span && { text, fromMs: span.lo };
}
