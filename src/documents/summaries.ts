/** CarePlan and DetectedIssue -> what the general practitioner is told of them (pure). Nothing is said that the record does not hold. */
import type { CarePlan, CareTeam, DetectedIssue, Goal, HumanName, Task } from 'fhir/r4.js';
import type { Resource } from '../fhir/index.ts';
import { conceptText, frenchDay, frenchPeriod, line, type Paper, type PaperSection, referencesOf } from './paper.ts';

export type Found = ReadonlyMap<string, Resource>;

const statuses: Readonly<Record<string, string>> = {
  draft: 'projet',
  active: 'en cours',
  'on-hold': 'suspendu',
  revoked: 'abandonné',
  completed: 'terminé',
  'entered-in-error': 'saisi par erreur',
  unknown: 'état inconnu',
  'not-started': 'non commencé',
  scheduled: 'programmé',
  'in-progress': 'en cours',
  cancelled: 'annulé',
  stopped: 'arrêté',
  preliminary: 'préalerte',
  final: 'ouverte',
  amended: 'rouverte',
  requested: 'demandée',
  accepted: 'acceptée',
  rejected: 'refusée',
  ready: 'prête',
  failed: 'échouée',
};

const inFrench = (status: string | undefined): string | undefined =>
  status === undefined ? undefined : (statuses[status] ?? status);

export function planPaper(plan: CarePlan, found: Found): Paper {
  return {
    title: plan.title ?? 'Plan personnalisé de coordination en santé',
    type: {
      coding: [{ system: 'http://loinc.org', code: '18776-5', display: 'Plan of care note' }],
      text: 'Plan de soins',
    },
    sections: [
      {
        title: 'Résumé',
        lines: [...line(inFrench(plan.status), frenchPeriod(plan.period)), ...line(plan.description)],
        entries: [`CarePlan/${plan.id}`],
      },
      section('Problèmes de santé', plan.addresses, found),
      section('Objectifs', plan.goal, found),
      teamSection(plan, found),
      activitySection(plan, found),
      { title: 'Notes', lines: (plan.note ?? []).map(({ text }) => text), entries: [] },
    ].filter(isTold),
  };
}

const isTold = ({ lines }: PaperSection): boolean => lines.length > 0;

function section(title: string, references: CarePlan['goal'], found: Found): PaperSection {
  const entries = referencesOf(references ?? []).filter((one) => found.has(one));
  const lines = (references ?? []).flatMap(({ reference = '', display }) => describe(found.get(reference), display));
  return { title, lines, entries };
}

interface Describable {
  readonly resourceType: string;
  readonly status?: string;
  /** Of a Goal. */
  readonly lifecycleStatus?: string;
  readonly code?: Goal['description'];
  readonly description?: Goal['description'] | string;
  readonly name?: readonly HumanName[] | string;
}

/** Any resource in one line. */
function describe(resource: Resource | undefined, display: string | undefined): readonly string[] {
  const one = resource as unknown as Describable | undefined;
  if (one === undefined) return line(display);
  const said = typeof one.description === 'string' ? one.description : conceptText(one.description ?? one.code);
  return line(display ?? said ?? nameOfAny(one), inFrench(one.status ?? one.lifecycleStatus));
}

function nameOfAny({ name }: Pick<Describable, 'name'>): string | undefined {
  if (typeof name === 'string') return name;
  const [first] = name ?? [];
  return first === undefined
    ? undefined
    : (first.text ?? [...(first.prefix ?? []), ...(first.given ?? []), first.family].join(' ').trim());
}

function teamSection({ careTeam = [] }: CarePlan, found: Found): PaperSection {
  const teams = careTeam.flatMap(
    ({ reference = '' }) => (found.get(reference) as unknown as CareTeam | undefined) ?? [],
  );
  const participants = teams.flatMap(({ participant = [] }) => participant);
  const lines = participants.flatMap(({ member, role = [] }) => {
    const person = memberOf(found, member?.reference);
    return line(
      member?.display ?? nameOfAny((person ?? {}) as Describable),
      role.map(conceptText).find((one) => one !== undefined),
    );
  });
  const people = referencesOf(participants.map(({ member }) => member)).filter((one) => found.has(one));
  return {
    title: 'Équipe de soins',
    lines,
    entries: [...referencesOf(careTeam).filter((one) => found.has(one)), ...people],
  };
}

/** The person behind a role. */
function memberOf(found: Found, reference = ''): Resource | undefined {
  const member = found.get(reference);
  const person = (member as { practitioner?: { reference?: string } } | undefined)?.practitioner?.reference;
  return person === undefined ? member : (found.get(person) ?? member);
}

function activitySection({ activity = [] }: CarePlan, found: Found): PaperSection {
  const lines = activity.flatMap(({ detail, reference }) => {
    if (detail === undefined) return describe(found.get(reference?.reference ?? ''), reference?.display);
    const when = frenchPeriod(detail.scheduledPeriod) ?? detail.scheduledString;
    return line(detail.description ?? conceptText(detail.code), when, inFrench(detail.status));
  });
  const entries = referencesOf(activity.map(({ reference }) => reference)).filter((one) => found.has(one));
  return { title: 'Activités prévues', lines, entries };
}

const extensionOf = (issue: DetectedIssue, name: string): string | undefined => {
  const found = issue.extension?.find(({ url }) => url === `https://suture.example/fhir/StructureDefinition/${name}`);
  return (
    found?.valueDateTime ??
    found?.valueCode ??
    (found?.valuePositiveInt === undefined ? undefined : String(found.valuePositiveInt))
  );
};

/** `tasks`: those whose focus is the break. */
export function issuePaper(issue: DetectedIssue, tasks: readonly Task[], found: Found): Paper {
  const due = frenchDay(extensionOf(issue, 'break-due'));
  const implicated = referencesOf(issue.implicated ?? []).filter((one) => found.has(one));
  return {
    title: conceptText(issue.code) ?? 'Rupture de parcours',
    type: { text: 'Synthèse d’une rupture de parcours' },
    sections: [
      {
        title: 'Constat',
        lines: [
          ...line(issue.detail),
          ...line(inFrench(issue.status), due && `échéance le ${due}`),
          ...line(issue.identifiedDateTime && `constaté le ${frenchDay(issue.identifiedDateTime)}`),
        ],
        entries: [`DetectedIssue/${issue.id}`],
      },
      {
        title: 'Éléments concernés',
        lines: implicated.flatMap((one) => describeImplicated(found.get(one))),
        entries: implicated,
      },
      {
        title: 'Actions demandées',
        lines: tasks.flatMap((task) => line(task.description ?? conceptText(task.code), inFrench(task.status))),
        entries: tasks.map(({ id }) => `Task/${id}`),
      },
      {
        title: 'Conduite tenue',
        lines: (issue.mitigation ?? []).flatMap(({ action, date }) => line(conceptText(action), frenchDay(date))),
        entries: [],
      },
    ].filter(isTold),
  };
}

const kinds: Readonly<Record<string, string>> = {
  Encounter: 'Séjour',
  CarePlan: 'Plan de soins',
  DocumentReference: 'Document',
  ServiceRequest: 'Demande',
  Appointment: 'Rendez-vous',
  CareTeam: 'Cercle de soins',
  MedicationRequest: 'Prescription',
  Condition: 'Diagnostic',
};

function describeImplicated(resource: Resource | undefined): readonly string[] {
  const { period, resourceType = '' } = (resource ?? {}) as { period?: CarePlan['period']; resourceType?: string };
  return line(kinds[resourceType] ?? resourceType, frenchPeriod(period), ...describe(resource, undefined));
}
