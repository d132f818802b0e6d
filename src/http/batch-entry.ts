/** One entry of a batch: led by the route table as a request of its own would be, with its own answer and its own error. */
import {
  type Answer,
  type Context,
  type EntryPart,
  entryRequest,
  noteAnswer,
  findRoute,
  readEntry,
  requireEntryPermitted,
  type Request,
  type Route,
  takePart,
} from '../interactions/index.ts';
import type { ErrorAnswer } from './errors.ts';

export interface BatchInput {
  readonly context: Context;
  readonly routes: readonly Route[];
  readonly answerError: (error: unknown) => ErrorAnswer;
  /** The batch itself. */
  readonly asked: Request;
}

export async function answerEntry(input: BatchInput, part: EntryPart, place: number): Promise<Answer> {
  try {
    return await interact(input, part, place);
  } catch (error) {
    const { status, body } = input.answerError(error);
    return { status, body };
  }
}

async function interact({ context, routes, asked }: BatchInput, part: EntryPart, place: number): Promise<Answer> {
  const entry = readEntry(context, part, place);
  const request = entryRequest(entry, asked);
  const route = findRoute(routes, entry);
  requireEntryPermitted(asked.caller, route, entry);
  const answer = await route.run(context, request);
  await noteAnswer(context, route, request, answer);
  if (entry.method !== 'HEAD') return takePart(context, request, answer);
  const { body: _body, ...head } = answer;
  return head;
}
