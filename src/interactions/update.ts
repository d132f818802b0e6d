/** update, with ids chosen by the client (https://hl7.org/fhir/R4/http.html#update). */
import { type Answer, type Context, readEntityTag, type Request, requireId, requireType } from './context.ts';
import { answerOne, requireResource, requireSameId, writeOne } from './write.ts';

export async function update(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  const { id = '' } = request;
  requireId(id);
  const resource = await requireResource(context, request.type, request.body);
  requireSameId(resource, id);
  const expected = request.ifMatch === undefined ? {} : { expectVersion: readEntityTag(request.ifMatch) };
  const written = await writeOne(context, { method: 'PUT', type: request.type, id, resource, ...expected });
  return answerOne(context, request, written);
}
