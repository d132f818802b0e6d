/**
 * The resources that a break is made of, and how to read it back from them (design.md section 5, "Identity of what
 * Suture makes"): DetectedIssue (the fact), Task (the work), Communication (the call).
 */
import type { Resource } from '../fhir/index.ts';
import {
  type BreakReason,
  type BreakState,
  breakStates,
  issueStatus,
  isClosed,
  type KnownBreak,
  taskStatus,
} from './machine.ts';
import type { BreakText } from './texts.ts';

export const canonicalBase = 'https://suture.example/fhir';
export const breakIdentifierSystem = `${canonicalBase}/sid/break`;
export const extensionUrl = (name: string) => `${canonicalBase}/StructureDefinition/${name}`;
const codeSystem = (name: string) => `${canonicalBase}/CodeSystem/${name}`;

/** Author of everything the engine writes. */
export const engineAuthor = { display: 'Suture' };

export interface Reference {
  readonly reference?: string;
  readonly display?: string;
}

/** One occurrence of a break, with what its resources say. */
export interface Break {
  readonly issue: Resource;
  readonly key: string;
  readonly rule: string;
  readonly occurrence: number;
  readonly known: KnownBreak;
}

/** RULE:Patient/id:Type/id. */
export function breakKey(rule: string, patient: string, focus: string): string {
  return `${rule}:${patient}:${focus}`;
}

interface Extension {
  readonly url: string;
  readonly valueCode?: string;
  readonly valueDateTime?: string;
  readonly valuePositiveInt?: number;
}

/** Reads a DetectedIssue of ours; undefined for one that somebody else wrote. */
export function readBreak(issue: Resource): Break | undefined {
  const identifiers = (issue['identifier'] ?? []) as readonly { system?: string; value?: string }[];
  const key = identifiers.find(({ system }) => system === breakIdentifierSystem)?.value;
  const state = breakStates.find((one) => one === extensionOf(issue, 'break-state')?.valueCode);
  if (issue.resourceType !== 'DetectedIssue' || key === undefined || state === undefined) return undefined;
  const rule = key.slice(0, key.indexOf(':'));
  const occurrence = extensionOf(issue, 'break-occurrence')?.valuePositiveInt ?? 1;
  return { issue, key, rule, occurrence, known: readKnown(issue, state) };
}

function readKnown(issue: Resource, state: BreakState): KnownBreak {
  const closing = isClosed(state) ? lastMitigation(issue) : undefined;
  return {
    state,
    reason: extensionOf(issue, 'break-reason')?.valueCode as BreakReason | undefined,
    dueAtMs: millisecondsOf(extensionOf(issue, 'break-due')?.valueDateTime),
    closedAtMs: millisecondsOf(closing?.date),
    isClosedByPerson: closing !== undefined && closing.author?.display !== engineAuthor.display,
  };
}

function millisecondsOf(dateTime: string | undefined): number | undefined {
  return dateTime === undefined ? undefined : Date.parse(dateTime);
}

interface Mitigation {
  readonly date?: string;
  readonly author?: Reference;
}

function lastMitigation(issue: Resource): Mitigation | undefined {
  return ((issue['mitigation'] ?? []) as readonly Mitigation[]).at(-1);
}

function extensionOf(resource: Resource, name: string): Extension | undefined {
  const extensions = (resource['extension'] ?? []) as readonly Extension[];
  return extensions.find(({ url }) => url === extensionUrl(name));
}

/** Severity of a rule; `critical` has no code of its own in DetectedIssue and shows in Task.priority. */
export type Severity = 'critical' | 'high' | 'moderate' | 'low';

const priorities: Readonly<Record<Severity, string>> = {
  critical: 'stat',
  high: 'urgent',
  moderate: 'asap',
  low: 'routine',
};

export interface IssueFacts {
  readonly id: string;
  readonly key: string;
  readonly rule: string;
  readonly ruleSet: string;
  readonly title: string;
  readonly severity: Severity;
  readonly patient: string;
  readonly focus: string;
  readonly occurrence: number;
  readonly identified: string;
  readonly due: string | undefined;
  readonly state: BreakState;
  readonly reason: BreakReason | undefined;
  readonly text: string;
  readonly evidence: readonly string[];
  /** The used value of the rule's parameter, e.g. `delaiLettreSortie`. */
  readonly parameter:
    | { readonly name: string; readonly value: string; readonly source?: string | undefined }
    | undefined;
}

export function buildIssue(facts: IssueFacts): Resource {
  const closing = isClosed(facts.state) ? { mitigation: [mitigation(facts.identified, facts.reason)] } : {};
  return {
    resourceType: 'DetectedIssue',
    id: facts.id,
    extension: stateExtensions(facts),
    identifier: [{ system: breakIdentifierSystem, value: facts.key }],
    status: issueStatus[facts.state],
    code: {
      coding: [
        { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'CAREGAP', display: 'Care Gaps' },
        { system: codeSystem('break-rule'), code: facts.rule, display: facts.title },
      ],
      text: facts.title,
    },
    severity: facts.severity === 'critical' ? 'high' : facts.severity,
    patient: { reference: facts.patient },
    identifiedDateTime: facts.identified,
    author: engineAuthor,
    implicated: [{ reference: facts.focus.split('#')[0] }],
    ...(facts.evidence.length === 0
      ? {}
      : { evidence: [{ detail: facts.evidence.map((reference) => ({ reference })) }] }),
    detail: facts.text,
    reference: facts.ruleSet,
    ...closing,
  };
}

function stateExtensions(
  facts: Pick<IssueFacts, 'state' | 'due' | 'reason' | 'occurrence' | 'parameter'>,
): readonly object[] {
  const { state, due, reason, occurrence, parameter } = facts;
  return [
    { url: extensionUrl('break-state'), valueCode: state },
    ...(due === undefined ? [] : [{ url: extensionUrl('break-due'), valueDateTime: due }]),
    { url: extensionUrl('break-occurrence'), valuePositiveInt: occurrence },
    ...(reason === undefined ? [] : [{ url: extensionUrl('break-reason'), valueCode: reason }]),
    ...(parameter === undefined
      ? []
      : [
          {
            url: extensionUrl('break-parameter'),
            extension: [
              { url: 'name', valueString: parameter.name },
              { url: 'value', valueString: parameter.value },
              ...(parameter.source === undefined
                ? []
                : [{ url: 'source', valueReference: { reference: parameter.source } }]),
            ],
          },
        ]),
  ];
}

function mitigation(date: string, reason: BreakReason | undefined, author: Reference = engineAuthor): object {
  return {
    action: { coding: [{ system: codeSystem('break-reason'), code: reason ?? 'premise-changed' }] },
    date,
    author,
  };
}

export interface IssueMove {
  readonly state: BreakState;
  readonly reason: BreakReason | undefined;
  readonly due: string | undefined;
  readonly at: string;
  readonly isReopened: boolean;
  readonly evidence: readonly string[];
  readonly closedBy?: Reference;
  readonly text?: string;
}

/** The DetectedIssue in its next state; everything that is not the state stays as it is. */
export function moveIssue(issue: Resource, move: IssueMove): Resource {
  const current = readBreak(issue);
  const others = ((issue['extension'] ?? []) as readonly Extension[]).filter(
    ({ url }) =>
      !['break-state', 'break-due', 'break-reason', 'break-occurrence'].some((name) => url === extensionUrl(name)),
  );
  const mitigations = (issue['mitigation'] ?? []) as readonly object[];
  const extensions = stateExtensions({ ...move, occurrence: current?.occurrence ?? 1, parameter: undefined });
  return {
    ...issue,
    extension: [...extensions, ...others],
    status: move.isReopened ? 'amended' : issueStatus[move.state],
    ...(move.text === undefined ? {} : { detail: move.text }),
    ...(move.evidence.length === 0
      ? {}
      : { evidence: [{ detail: move.evidence.map((reference) => ({ reference })) }] }),
    ...(isClosed(move.state) ? { mitigation: [...mitigations, mitigation(move.at, move.reason, move.closedBy)] } : {}),
  };
}

export interface TaskFacts {
  readonly id: string;
  readonly issueId: string;
  readonly patient: string;
  readonly focus: string;
  readonly state: BreakState;
  readonly severity: Severity;
  readonly title: string;
  readonly text: string;
  readonly owner: string | undefined;
  /** Coding of the role that was sought, when it has one. */
  readonly role: object | undefined;
  readonly authored: string;
  /** Of the break: when the thing was due. */
  readonly due: string | undefined;
  readonly partOf: string | undefined;
}

export function buildTask(facts: TaskFacts): Resource {
  return {
    resourceType: 'Task',
    id: facts.id,
    ...(facts.partOf === undefined ? {} : { partOf: [{ reference: facts.partOf }] }),
    status: taskStatus[facts.state],
    businessStatus: businessStatus(facts.state),
    intent: 'order',
    priority: priorities[facts.severity],
    code: { coding: [{ system: codeSystem('task'), code: 'repair-break' }], text: facts.title },
    description: facts.text,
    focus: { reference: `DetectedIssue/${facts.issueId}` },
    for: { reference: facts.patient },
    ...(facts.focus.startsWith('Encounter/') ? { encounter: { reference: facts.focus } } : {}),
    authoredOn: facts.authored,
    lastModified: facts.authored,
    requester: engineAuthor,
    ...(facts.role === undefined ? {} : { performerType: [facts.role] }),
    ...(facts.owner === undefined ? {} : { owner: { reference: facts.owner } }),
    ...(facts.due === undefined ? {} : { restriction: { period: { end: facts.due } } }),
  };
}

export function moveTask(
  task: Resource,
  move: { state: BreakState; reason: BreakReason | undefined; at: string },
): Resource {
  const closes = isClosed(move.state) && move.reason !== undefined;
  return {
    ...task,
    status: taskStatus[move.state],
    businessStatus: businessStatus(move.state),
    lastModified: move.at,
    ...(closes ? { statusReason: { coding: [{ system: codeSystem('break-reason'), code: move.reason }] } } : {}),
  };
}

export function businessStatus(state: BreakState, text?: string): object {
  const coding = [{ system: codeSystem('break-state'), code: state }];
  return text === undefined ? { coding } : { coding, text };
}

/** Whether the Task is the work of a break. */
export function isBreakTask(task: Resource): boolean {
  const codings =
    (task['code'] as { coding?: readonly { system?: string; code?: string }[] } | undefined)?.coding ?? [];
  return codings.some(({ system, code }) => system === codeSystem('task') && code === 'repair-break');
}

/** Whether the engine itself wrote it. */
export function isOwn(resource: Resource): boolean {
  switch (resource.resourceType) {
    case 'DetectedIssue':
      return readBreak(resource) !== undefined;
    case 'Task':
      return isBreakTask(resource);
    case 'Communication':
      return isOwnAlert(resource);
    default:
      return false;
  }
}

/** Whether the Communication is a call of the engine. */
export function isOwnAlert({ sender, category }: Resource): boolean {
  const categories = (category ?? []) as readonly { coding?: readonly { code?: string }[] }[];
  const isCall = categories.some(({ coding = [] }) =>
    coding.some(({ code }) => code === 'alert' || code === 'notification'),
  );
  return isCall && (sender as Reference | undefined)?.display === engineAuthor.display;
}

export interface AlertFacts {
  readonly id: string;
  readonly patient: string;
  readonly issues: readonly string[];
  readonly recipients: readonly string[];
  readonly severity: Severity;
  readonly sent: string;
  readonly lines: readonly BreakText[];
  readonly encounter: string | undefined;
}

/** One call for the breaks of one patient at one moment. */
export function buildAlert(facts: AlertFacts): Resource {
  return {
    resourceType: 'Communication',
    id: facts.id,
    status: 'completed',
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/communication-category', code: 'alert' }] }],
    priority: priorities[facts.severity],
    subject: { reference: facts.patient },
    about: facts.issues.map((id) => ({ reference: `DetectedIssue/${id}` })),
    ...(facts.encounter === undefined ? {} : { encounter: { reference: facts.encounter } }),
    sent: facts.sent,
    ...(facts.recipients.length === 0 ? {} : { recipient: facts.recipients.map((reference) => ({ reference })) }),
    sender: engineAuthor,
    payload: payloadOf(facts.lines),
  };
}

export interface DigestFacts {
  readonly id: string;
  readonly issues: readonly string[];
  readonly recipient: string | undefined;
  readonly sent: string;
  readonly lines: readonly BreakText[];
}

/** A message about many patients, or about none: to an organisation, without subject. */
export function buildDigest({ id, issues, recipient, sent, lines }: DigestFacts): Resource {
  return {
    resourceType: 'Communication',
    id,
    status: 'completed',
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/communication-category', code: 'notification' }] },
    ],
    priority: 'routine',
    ...(issues.length === 0 ? {} : { about: issues.map((issue) => ({ reference: `DetectedIssue/${issue}` })) }),
    sent,
    ...(recipient === undefined ? {} : { recipient: [{ reference: recipient }] }),
    sender: engineAuthor,
    payload: payloadOf(lines),
  };
}

function payloadOf(lines: readonly BreakText[]): readonly object[] {
  return lines.map(({ fr, en }) => ({ contentString: fr, _contentString: { extension: [translation('en', en)] } }));
}

function translation(language: string, text: string): object {
  return {
    url: 'http://hl7.org/fhir/StructureDefinition/translation',
    extension: [
      { url: 'lang', valueCode: language },
      { url: 'content', valueString: text },
    ],
  };
}
