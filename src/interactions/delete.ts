/**
 * delete and conditional delete (https://hl7.org/fhir/R4/http.html#delete, #3.1.0.7.1): the history stays; deleting what is
 * not there is a success.
 */
import { toOperationOutcome } from '../fhir/index.ts';
import type { Written } from '../store/index.ts';
import { type Answer, type Context, isId, readEntityTag, type Request, requireType } from './context.ts';
import { queryText } from './update.ts';
import { writeOne, writePlanned } from './write.ts';

export async function remove(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  const { id = '', type } = request;
  if (!isId(id)) return { status: 204 };
  const expected = request.ifMatch === undefined ? {} : { expectVersion: readEntityTag(request.ifMatch) };
  return answerDeleted(request, [await writeOne(context, { method: 'DELETE', type, id, ...expected }, request)]);
}

export async function removeByCriteria(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  const { type, ifMatch } = request;
  const wanted = { method: 'DELETE' as const, type, criteria: queryText(request), ifMatch };
  const { written } = await writePlanned(context, request, wanted);
  return answerDeleted(request, written);
}

export function answerDeleted(
  { type, returnPreference }: Pick<Request, 'type' | 'returnPreference'>,
  written: readonly Written[],
): Answer {
  const [first, ...others] = written;
  const version = first === undefined || first.version === 0 || others.length > 0 ? {} : { version: first.version };
  const count = written.filter(({ outcome }) => outcome === 'deleted').length;
  if (count === 0 || returnPreference !== 'OperationOutcome') return { status: 204, ...version };
  const text = count === 1 ? `${type} deleted` : `${count} ${type} deleted`;
  const outcome = toOperationOutcome([{ severity: 'information', code: 'informational', text }]);
  return { status: 200, ...version, body: JSON.stringify(outcome) };
}
