/** How the demo tells what it sees: one readable line for each break that opens or closes, and a table at the end. */
import type { Resource } from '../fhir/index.ts';

const colours = { red: 31, green: 32, yellow: 33, grey: 90, bold: 1 } as const;
type Colour = keyof typeof colours;

export interface Printer {
  line(text: string): void;
  paint(colour: Colour, text: string): string;
}

export function createPrinter(write: (text: string) => void, hasColour: boolean): Printer {
  return {
    line: (text) => write(`${text}\n`),
    paint: (colour, text) => (hasColour ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text),
  };
}

export interface IssueView {
  readonly id: string;
  readonly rule: string;
  readonly title: string;
  readonly patient: string;
  readonly state: string;
  readonly reason: string | undefined;
  /** Instant at which the break was seen. */
  readonly identified: string;
  readonly isClosed: boolean;
}

const base = 'https://suture.example/fhir';

interface IssueShape {
  readonly code: {
    readonly coding: readonly { readonly system?: string; readonly code?: string }[];
    readonly text: string;
  };
  readonly patient: { readonly reference: string };
  readonly identifiedDateTime: string;
  readonly extension: readonly { readonly url: string; readonly valueCode?: string }[];
}

const closedStates: ReadonlySet<string> = new Set(['repaired', 'auto-closed']);

/** What a reader wants to know of a DetectedIssue. */
export function viewIssue(issue: Resource): IssueView {
  const { code, patient, identifiedDateTime, extension } = issue as unknown as IssueShape;
  const valueOf = (name: string) =>
    extension.find(({ url }) => url === `${base}/StructureDefinition/${name}`)?.valueCode;
  const state = valueOf('break-state') ?? '?';
  return {
    id: issue.id ?? '',
    rule: code.coding.find(({ system }) => system === `${base}/CodeSystem/break-rule`)?.code ?? '?',
    title: code.text,
    patient: patient.reference.replace('Patient/', ''),
    state,
    reason: valueOf('break-reason'),
    identified: identifiedDateTime,
    isClosed: closedStates.has(state),
  };
}

const words: Readonly<Record<string, readonly [colour: Colour, word: string]>> = {
  'pre-alert': ['yellow', 'PRÉALERTE'],
  open: ['red', 'OUVERTE'],
  repaired: ['green', 'RÉPARÉE'],
  'auto-closed': ['green', 'REFERMÉE'],
  moot: ['grey', 'SANS OBJET'],
  rejected: ['grey', 'REJETÉE'],
};

export function issueLine(printer: Printer, at: string, view: IssueView): string {
  const [colour, word] = words[view.state] ?? ['grey', view.state];
  const reason = view.reason === undefined ? '' : printer.paint('grey', ` (${view.reason})`);
  return `${at}  ${printer.paint(colour, word.padEnd(10))} ${view.rule}  ${view.patient.padEnd(8)} ${view.title}${reason}`;
}

/** Breaks by rule and state. */
export function tableLines(printer: Printer, views: readonly IssueView[]): readonly string[] {
  const rules = [...new Set(views.map(({ rule }) => rule))].sort();
  const states = ['pre-alert', 'open', 'auto-closed', 'repaired', 'moot', 'rejected'];
  const head = `${'règle'.padEnd(8)}${states.map((state) => (words[state]?.[1] ?? state).toLowerCase().padStart(12)).join('')}${'total'.padStart(8)}`;
  const rows = rules.map((rule) => {
    const own = views.filter((view) => view.rule === rule);
    const counts = states.map((state) => String(own.filter((view) => view.state === state).length).padStart(12));
    return `${rule.padEnd(8)}${counts.join('')}${String(own.length).padStart(8)}   ${own[0]?.title ?? ''}`;
  });
  return [printer.paint('bold', head), ...rows];
}
