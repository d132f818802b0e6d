/** delete (https://hl7.org/fhir/R4/http.html#delete): the history stays; deleting what is not there is a success. */
import { toOperationOutcome } from '../fhir/index.ts';
import { type Answer, type Context, isId, readEntityTag, type Request, requireType } from './context.ts';
import { writeOne } from './write.ts';

export async function remove(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  const { id = '', type } = request;
  if (!isId(id)) return { status: 204 };
  const expected = request.ifMatch === undefined ? {} : { expectVersion: readEntityTag(request.ifMatch) };
  const written = await writeOne(context, { method: 'DELETE', type, id, ...expected });
  if (written.outcome === 'unchanged' || request.returnPreference !== 'OperationOutcome') {
    return written.version === 0 ? { status: 204 } : { status: 204, version: written.version };
  }
  const outcome = toOperationOutcome([{ severity: 'information', code: 'informational', text: `${type} deleted` }]);
  return { status: 200, version: written.version, body: JSON.stringify(outcome) };
}
