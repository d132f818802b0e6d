/** What is remembered of the judgments of one run (breaks.sql.ts). */
import { formatInstant } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { Judgment } from '../rules/index.ts';
import type { JudgmentRow } from './breaks.sql.ts';
import type { Judged, KnownJudgment } from './judge-patient.ts';

/** What differs from what was known; what was known and is judged no more is cancelled. */
export function judgmentRows(judged: readonly Judged[], known: readonly KnownJudgment[]): readonly JudgmentRow[] {
  const before = new Map(known.map((one) => [`${one.rule} ${one.focus}`, one]));
  const spoken = new Set(judged.map(({ rule, focusKey }) => `${rule.code} ${focusKey}`));
  const rows = judged.flatMap((one) => {
    const former = before.get(`${one.rule.code} ${one.focusKey}`);
    const row = rowOf(one, former);
    return row === undefined || (former !== undefined && isSame(row, former)) ? [] : [row];
  });
  const gone = known.filter(({ rule, focus, state }) => !spoken.has(`${rule} ${focus}`) && state !== 'cancelled');
  return [...rows, ...gone.map((one) => ({ ...one, state: 'cancelled', dueAt: undefined }))];
}

function isSame(row: JudgmentRow, known: KnownJudgment): boolean {
  const msOf = (instant: string | undefined) => (instant === undefined ? undefined : Date.parse(instant));
  return (
    row.state === known.state &&
    row.focusVersion === known.focusVersion &&
    msOf(row.dueAt) === known.dueAtMs &&
    msOf(row.since) === msOf(known.since) &&
    msOf(row.metSince) === msOf(known.metSince) &&
    row.ruleSet === known.ruleSet
  );
}

function rowOf(one: Judged, former: KnownJudgment | undefined): JudgmentRow | undefined {
  const { rule, ruleSet, focusKey, result, facts } = one;
  const focusVersion = Number(one.focus.meta?.versionId ?? 1);
  const head = { rule: rule.code, focus: focusKey, focusVersion, ruleSet: ruleSet.canonical };
  switch (result.kind) {
    case 'error':
      return undefined;
    case 'none': {
      const gone = { state: 'cancelled', dueAt: undefined, since: undefined, metSince: undefined };
      return former === undefined ? undefined : { ...head, ...gone };
    }
    case 'judgment': {
      const dueAtMs = result.timing?.dueAtMs;
      const dueAt = dueAtMs === undefined ? undefined : formatInstant(dueAtMs);
      // Only rules that read no date of their own need to know when they were first found met.
      const metSince = rule.metAt === undefined ? result.metAt : undefined;
      return { ...head, state: result.state, dueAt, since: facts.since, metSince, ...countedOf(one, result) };
    }
  }
}

/** What indicators count beside the state. */
function countedOf({ facts, site }: Judged, result: Judgment): Partial<JudgmentRow> {
  const { timing, metAtMs, reason } = result;
  return {
    anchorAt: timing === undefined ? undefined : formatInstant(timing.anchorMs),
    metAt: metAtMs === undefined ? undefined : formatInstant(metAtMs),
    isKnownLate: reason === 'met-in-time-known-late',
    site,
    pathway: pathwayOf(facts.plan),
  };
}

/** The plan definition that the care plan follows, else its first category. */
export function pathwayOf(plan: Resource | undefined): string | undefined {
  const [definition] = (plan?.['instantiatesCanonical'] ?? []) as readonly string[];
  const [category] = (plan?.['category'] ?? []) as readonly { coding?: readonly { code?: string }[]; text?: string }[];
  return definition ?? category?.coding?.[0]?.code ?? category?.text;
}
