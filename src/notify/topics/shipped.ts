/** The topics of Suture itself (design.md section 5, decision 11). */
import type { Resource } from '../../fhir/index.ts';
import { writeTopic } from './basic.ts';
import type { AllowedFilter, Interaction, QueryCriteria, Topic } from './topic.ts';

const base = 'https://suture.example/fhir/SubscriptionTopic/';
const written: readonly Interaction[] = ['create', 'update'];

/** Becomes true: it holds now, and did not before. */
function becomes(parameter: string, values: string): QueryCriteria {
  return {
    previous: `${parameter}:not=${values}`,
    current: `${parameter}=${values}`,
    requireBoth: true,
    resultForCreate: true,
    resultForDelete: false,
  };
}

function holds(current: string): QueryCriteria {
  return { previous: undefined, current, requireBoth: true, resultForCreate: undefined, resultForDelete: undefined };
}

interface Shipped {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly type: string;
  readonly interactions: readonly Interaction[];
  readonly query: QueryCriteria | undefined;
  /** Beside `patient`. */
  readonly filters?: readonly string[];
}

const anyBreak = 'pre-alert,open,acknowledged,in-progress,on-hold,repaired,auto-closed,moot,rejected';

const shipped: readonly Shipped[] = [
  {
    name: 'break-opened',
    title: 'Rupture ouverte',
    description: 'A break was opened, or opened again.',
    type: 'DetectedIssue',
    interactions: written,
    query: becomes('break-state', 'open'),
    filters: ['code', 'break-rule'],
  },
  {
    name: 'break-changed',
    title: 'Rupture modifiée',
    description: 'A break was announced, opened, taken, closed or changed in any other way.',
    type: 'DetectedIssue',
    interactions: written,
    query: holds(`break-state=${anyBreak}`),
    filters: ['code', 'break-rule', 'break-state'],
  },
  {
    name: 'break-closed',
    title: 'Rupture refermée',
    description: 'A break was repaired, closed by itself, lost its object or was rejected.',
    type: 'DetectedIssue',
    interactions: written,
    query: becomes('break-state', 'repaired,auto-closed,moot,rejected'),
    filters: ['code', 'break-rule', 'break-state'],
  },
  {
    name: 'letter-received',
    title: 'Lettre reçue',
    description: 'A letter or another document came in.',
    type: 'DocumentReference',
    interactions: ['create'],
    query: undefined,
    filters: ['type', 'category', 'custodian'],
  },
  {
    name: 'letter-in-review',
    title: 'Lettre à revoir',
    description: 'A letter could not be read or attributed, and somebody must look at it.',
    type: 'Task',
    interactions: ['create'],
    query: holds('code=https://suture.example/fhir/CodeSystem/task|review-letter'),
  },
  {
    name: 'care-plan-changed',
    title: 'Plan de soins modifié',
    description: 'A care plan was written, changed or deleted.',
    type: 'CarePlan',
    interactions: ['create', 'update', 'delete'],
    query: undefined,
    filters: ['status', 'category'],
  },
  {
    name: 'encounter-discharged',
    title: 'Sortie du patient',
    description: 'A stay is finished.',
    type: 'Encounter',
    interactions: written,
    query: becomes('status', 'finished'),
    filters: ['class', 'service-provider'],
  },
  {
    name: 'message-undelivered',
    title: 'Message non remis',
    description: 'A message could not be sent, or did not arrive.',
    type: 'Communication',
    interactions: written,
    query: becomes('status', 'not-done,stopped'),
    filters: ['recipient'],
  },
];

export const shippedTopics: readonly Topic[] = shipped.map(
  ({ name, title, description, type, interactions, query, filters = [] }) => ({
    url: base + name,
    version: '1',
    title,
    description,
    status: 'active',
    triggers: [{ type, interactions, query, fhirPath: undefined }],
    filters: ['patient', ...filters].map((parameter): AllowedFilter => ({ type, parameter, modifiers: [] })),
  }),
);

/** As they are read: `Basic/break-opened`, ... */
export const shippedTopicResources: readonly Resource[] = shippedTopics.map((topic) =>
  writeTopic(topic.url.slice(base.length), topic),
);

/** Whether the canonical is one that only this program gives meaning to. */
export function isShipped(url: string): boolean {
  return url.startsWith(base);
}
