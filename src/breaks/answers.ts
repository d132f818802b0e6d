/** What the engine answers when asked: the judgments of a patient ($breaks), and why a break is what it is ($explain). */
import { Problem } from '../base/index.ts';
import { formatLocal, type Resource } from '../fhir/index.ts';
import { everything, seesAll, type Session, type Visible } from '../store/index.ts';
import type { EngineInput } from './engine-input.ts';
import { lastBreaks, sameStaysAs, versioned } from './expectations.ts';
import { asHeld } from './feed-guard.ts';
import { readHeldFeeds } from './feeds.sql.ts';
import { type Judged, type KnownJudgment, verdictOf } from './judge-patient.ts';
import { judgeRecord } from './judge-record.ts';
import { readJudgments } from './breaks.sql.ts';
import { type Group, groupOf } from './merged.ts';
import { loadRecord, type PatientRecord } from './record.ts';
import type { RuleBook } from './rule-book.ts';
import { provenanceId } from './provenance.ts';
import { breakKey, readBreak } from './resources.ts';

export type AnswerInput = Pick<EngineInput, 'ruleBook' | 'select' | 'places' | 'clock' | 'isolation'>;

interface Parameter {
  readonly name: string;
  readonly part?: readonly Parameter[];
  readonly [value: string]: unknown;
}

/**
 * One parameter `judgment` for each rule and focus, judged with business time `atMs` on the versions known then
 * (design.md section 5). Judgments that were known and have lost their expectation are told as cancelled. Judged is what the caller sees of
 * the record: what is hidden from him neither meets nor breaks anything here.
 */
export async function answerBreaks(
  input: AnswerInput,
  session: Session,
  of: { readonly patient: string; readonly atMs: number | undefined; readonly visible: Visible },
): Promise<Resource> {
  const book = await input.ruleBook(session);
  const { survivor: patient, members } = await groupAt(session, book, of.patient);
  const everKnown = await readJudgments(session, patient);
  const isPast = of.atMs !== undefined && of.atMs < input.clock.now();
  const record = await loadRecord(session, {
    patient,
    members,
    types: book.types,
    visible: of.visible,
    ...(isPast ? { knownAtMs: of.atMs } : {}),
  });
  const nowMs = of.atMs ?? input.clock.now();
  const known = seesAll(of.visible) ? everKnown : everKnown.filter(({ focus }) => isSeen(record, focus));
  const judged = await judgeRecord(input, session, { record, book, known: isPast ? [] : known, nowMs });
  const breaks = lastBreaks(record);
  const feeds = isPast ? [] : await readHeldFeeds(session, patient);
  const told = judged.flatMap((found) => {
    const one = feeds.length === 0 ? found : asHeld(found, feeds, breaks);
    const issue = breaks.get(breakKey(one.rule.code, patient, one.focusKey))?.issue;
    return judgmentParameter(one, issue) ?? [];
  });
  const spoken = new Set(told.map(({ key }) => key));
  const gone = isPast
    ? []
    : known.filter(({ rule, focus, state }) => state === 'cancelled' && !spoken.has(`${rule} ${focus}`));
  return {
    resourceType: 'Parameters',
    parameter: [...told.map(({ parameter }) => parameter), ...gone.map(goneParameter)],
  };
}

/** Whether the focus is there for whoever sees this record. */
function isSeen({ byType }: PatientRecord, focusKey: string): boolean {
  const [type = '', id = ''] = (focusKey.split('#', 1)[0] ?? '').split('/');
  return (byType.get(type) ?? []).some((one) => one.id === id);
}

async function groupAt(session: Session, { hasMerges }: RuleBook, patient: string): Promise<Group> {
  return hasMerges ? groupOf(session, patient) : { survivor: patient, members: [] };
}

function judgmentParameter(
  one: Judged,
  issue: Resource | undefined,
): { key: string; parameter: Parameter } | undefined {
  const { rule, focusKey, result, inhibitedBy } = one;
  const key = `${rule.code} ${focusKey}`;
  const head: Parameter[] = [
    { name: 'rule', valueCode: rule.code },
    { name: 'focus', valueReference: { reference: focusKey } },
  ];
  if (result.kind === 'none') return undefined;
  if (result.kind === 'error') {
    const reason = `${result.expression}: ${result.message}`;
    return { key, parameter: { name: 'judgment', part: [...head, { name: 'error', valueString: reason }] } };
  }
  const at = (name: string, ms: number | undefined): Parameter[] =>
    ms === undefined ? [] : [{ name, valueDateTime: formatLocal(ms, one.facts.place.dates.zone) }];
  const verdict = verdictOf(one);
  const reason = verdict?.cancelReason === 'inhibited' ? `inhibited by ${inhibitedBy}` : result.reason;
  const part = [
    ...head,
    { name: 'state', valueCode: verdict?.state ?? result.state },
    ...at('dueAt', result.timing?.dueAtMs),
    ...at('metAt', result.metAtMs),
    ...(issue === undefined ? [] : [{ name: 'issue', valueReference: { reference: `DetectedIssue/${issue.id}` } }]),
    { name: 'reason', valueString: reason },
  ];
  return { key, parameter: { name: 'judgment', part } };
}

function goneParameter({ rule, focus }: KnownJudgment): Parameter {
  return {
    name: 'judgment',
    part: [
      { name: 'rule', valueCode: rule },
      { name: 'focus', valueReference: { reference: focus } },
      { name: 'state', valueCode: 'cancelled' },
      { name: 'reason', valueString: 'premise-changed' },
    ],
  };
}

/** Each expression with its value, the evidence with its versions, the time line. Judged now, on the present record. */
export async function answerExplain(
  input: AnswerInput,
  session: Session,
  { id: issueId, visible }: { readonly id: string; readonly visible: Visible },
): Promise<Resource> {
  const stored = await session.read('DetectedIssue', issueId, visible);
  if (stored === undefined || stored.isDeleted) throw new Problem('not-found', 'no DetectedIssue with this id');
  const issue = JSON.parse(stored.raw) as Resource;
  const found = readBreak(issue);
  if (found === undefined)
    throw new Problem('unprocessable', 'this DetectedIssue is no break: no rule of Suture made it');
  const patient = (issue['patient'] as { reference: string }).reference;
  const focusKey = found.key.slice(found.rule.length + patient.length + 2);
  const book = await input.ruleBook(session);
  const { members } = await groupAt(session, book, patient);
  const known = await readJudgments(session, patient);
  const record = await loadRecord(session, { patient, members, types: book.types, visible });
  const judged = await judgeRecord(input, session, { record, book, known, nowMs: input.clock.now() });
  const one = judged.find(({ rule, focusKey: key }) => rule.code === found.rule && key === focusKey);
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'rule', valueCode: found.rule },
      { name: 'ruleSet', valueUri: issue['reference'] },
      { name: 'focus', valueReference: { reference: focusKey } },
      { name: 'state', valueCode: found.known.state },
      ...(found.known.reason === undefined ? [] : [{ name: 'closingReason', valueCode: found.known.reason }]),
      ...(one === undefined ? [] : explainJudgment(one)),
      ...explainSameStay(record, focusKey),
      ...(await timeLine(session, issueId, visible)),
    ],
  };
}

function explainJudgment(one: Judged): readonly Parameter[] {
  const judgment = judgmentParameter(one, undefined)?.parameter.part ?? [];
  const trace = one.result.kind === 'none' ? one.result.trace : one.result.trace;
  const evidence = one.result.kind === 'judgment' ? one.result.evidence : [];
  return [
    { name: 'judgment', part: judgment },
    ...trace.map(({ name, expression, value }) => ({
      name: 'expression',
      part: [
        { name: 'name', valueString: name },
        { name: 'expression', valueString: expression },
        ...value.map((item) => ({
          name: 'value',
          valueString: typeof item === 'string' ? item : JSON.stringify(item),
        })),
      ],
    })),
    ...evidence.map(({ reference, versionId, role, isDecisive }) => ({
      name: 'evidence',
      part: [
        { name: 'role', valueString: role },
        {
          name: 'reference',
          valueReference: { reference: versionId === undefined ? reference : `${reference}/_history/${versionId}` },
        },
        ...(isDecisive ? [{ name: 'decisive', valueBoolean: true }] : []),
      ],
    })),
  ];
}

/** Encounters that tell of the same stay, and are judged as one (stays.ts). */
function explainSameStay(record: PatientRecord, focusKey: string): readonly Parameter[] {
  const kept = record.sameStays?.get(focusKey)?.kept;
  const others = [...(kept === undefined ? [] : [kept]), ...sameStaysAs(record, focusKey).map(versioned)];
  return others.map((reference) => ({
    name: 'evidence',
    part: [
      { name: 'role', valueString: 'same-stay' },
      { name: 'reference', valueReference: { reference } },
    ],
  }));
}

const timeLineMax = 100;

/** What happened to the break, oldest first: one entry for each version of its DetectedIssue; who moved it, and from where. */
async function timeLine(session: Session, issueId: string, visible: Visible): Promise<readonly Parameter[]> {
  const history = await session.history('DetectedIssue', issueId, { limit: timeLineMax }, visible);
  const moves = await readMoves(
    session,
    history.map(({ version }) => provenanceId(issueId, version)),
  );
  return [...history].reverse().flatMap(({ raw, version, lastUpdated, isDeleted }) => {
    const there = isDeleted ? undefined : readBreak(JSON.parse(raw) as Resource);
    if (there === undefined) return [];
    const part: Parameter[] = [
      { name: 'at', valueInstant: lastUpdated.toISOString() },
      { name: 'state', valueCode: there.known.state },
      ...(there.known.reason === undefined ? [] : [{ name: 'reason', valueCode: there.known.reason }]),
      ...moveParts(moves.get(provenanceId(issueId, version))),
      { name: 'version', valueReference: { reference: `DetectedIssue/${issueId}/_history/${version}` } },
    ];
    return [{ name: 'timeline', part }];
  });
}

async function readMoves(session: Session, ids: readonly string[]): Promise<ReadonlyMap<string, Resource>> {
  const references = ids.map((id) => `Provenance/${id}`);
  const stored = await session.readMany(references, everything);
  return new Map(stored.map(({ id, raw }) => [id, JSON.parse(raw) as Resource]));
}

function moveParts(move: Resource | undefined): readonly Parameter[] {
  if (move === undefined) return [];
  const [from] = (move['extension'] ?? []) as readonly { readonly valueCode?: string }[];
  const [agent] = (move['agent'] ?? []) as readonly { readonly who?: object }[];
  return [
    ...(from?.valueCode === undefined ? [] : [{ name: 'from', valueCode: from.valueCode }]),
    ...(agent?.who === undefined ? [] : [{ name: 'who', valueReference: agent.who }]),
    { name: 'provenance', valueReference: { reference: `Provenance/${move.id ?? ''}` } },
  ];
}
