/**
 * A letter that a person must look at: its bytes stay as a Binary whose id is their hash, and a Task names the reasons
 * (design.md section 5, decision 9). The same letter again finds its Task.
 */
import { createHash } from 'node:crypto';
import { formatInstant, type Issue, Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { everything, type Session, type WriteEntry } from '../store/index.ts';
import type { Answer, Context } from './context.ts';
import { searchResources } from './search.ts';
import { onItsOwn, writeGuarded } from './write.ts';

export interface Incoming {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** The review that this is a new attempt of. */
  readonly task?: Resource;
}

/** What one attempt came to. A refusal is an outcome, not an exception: what it stores must be committed. */
export type Outcome =
  | { readonly kind: 'stored'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly problem: Problem };

const taskSystem = 'https://suture.example/fhir/CodeSystem/task';

export interface Refusal {
  readonly category: 'unprocessable' | 'conflict';
  readonly reasons: readonly Issue[];
}

/** Keeps the bytes and a Task that names the reasons; the same letter again finds its Task. */
export async function review(
  context: Context,
  session: Session,
  incoming: Incoming,
  refusal: Refusal,
): Promise<Outcome> {
  const id = createHash('sha256').update(incoming.bytes).digest('hex');
  const binary: Resource = {
    resourceType: 'Binary',
    id,
    contentType: incoming.contentType,
  };
  await session.lockCriteria([`Binary/${id}`]);
  const stored = await session.read('Binary', id, everything);
  const parameters = [
    ['focus', `Binary/${id}`],
    ['code', `${taskSystem}|review-letter`],
    ['status', 'requested,in-progress'],
  ] as const;
  const open = await searchResources(context, session, { type: 'Task', parameters, visible: everything, limit: 1 });
  const task = reviewTask(context, { former: open[0], binaryId: id, reasons: refusal.reasons });
  const keep: WriteEntry[] =
    stored === undefined || stored.isDeleted
      ? [{ method: 'POST', type: 'Binary', id, resource: binary, content: incoming.bytes }]
      : [];
  await writeGuarded(
    context,
    session,
    [...keep, { method: 'PUT', type: 'Task', id: task.id ?? '', resource: task }],
    onItsOwn,
  );
  const [first] = refusal.reasons;
  const problem = new Problem(refusal.category, first?.text ?? 'the letter needs a review', {
    issues: refusal.reasons,
    location: `${context.baseUrl}/Task/${task.id}`,
  });
  return { kind: 'refused', problem };
}

function reviewTask(
  context: Context,
  of: { former: Resource | undefined; binaryId: string; reasons: readonly Issue[] },
): Resource {
  const now = formatInstant(context.clock.now());
  const reasons = of.reasons.map(({ text, expression }) =>
    expression === undefined ? text : `${text} (${expression})`,
  );
  const type = { coding: [{ system: taskSystem, code: 'review-reason' }], text: 'motif' };
  return {
    resourceType: 'Task',
    id: of.former?.id ?? context.ids.next(context.clock.now()),
    status: 'requested',
    intent: 'order',
    priority: 'urgent',
    code: { coding: [{ system: taskSystem, code: 'review-letter' }], text: 'Lettre à revoir' },
    description: `Lettre à revoir : ${reasons[0] ?? 'motif inconnu'}`,
    focus: { reference: `Binary/${of.binaryId}` },
    authoredOn: of.former?.['authoredOn'] ?? now,
    lastModified: now,
    input: reasons.map((valueString) => ({ type, valueString })),
  };
}

export function completedTask(context: Context, task: Resource): WriteEntry {
  const resource = { ...task, status: 'completed', lastModified: formatInstant(context.clock.now()) };
  return { method: 'PUT', type: 'Task', id: task.id ?? '', resource };
}
