/** update, with ids chosen by the client, and conditional update (https://hl7.org/fhir/R4/http.html#update, #cond-update). */
import { Problem } from '../base/index.ts';
import { type Answer, type Context, readEntityTag, type Request, requireId, requireType } from './context.ts';
import type { Wanted } from './plan.ts';
import { requireResource, requireSameId } from './valid.ts';
import { answerOne, writeOne, writePlanned } from './write.ts';

export async function update(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  const { id = '', type, ifMatch, ifNoneMatch } = request;
  requireId(id);
  const resource = await requireResource(context, type, request.body);
  requireSameId(resource, id);
  if (ifNoneMatch !== undefined) {
    return updatePlanned(context, request, { method: 'PUT', type, id, resource, ifMatch, ifNoneMatch });
  }
  const expected = ifMatch === undefined ? {} : { expectVersion: readEntityTag(ifMatch) };
  const written = await writeOne(context, { method: 'PUT', type, id, resource, ...expected }, request);
  return answerOne(context, request, written);
}

export async function updateByCriteria(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  const { type, ifMatch } = request;
  const criteria = queryText(request);
  const resource = await requireResource(context, type, request.body);
  return updatePlanned(context, request, { method: 'PUT', type, resource, criteria, ifMatch });
}

async function updatePlanned(context: Context, request: Request, wanted: Wanted): Promise<Answer> {
  const { written } = await writePlanned(context, request, wanted);
  const [first] = written;
  if (first === undefined) throw new Error('an update answered nothing');
  return answerOne(context, request, first);
}

/** The query of a conditional request as criteria; what only says how to answer is none. */
export function queryText({ query }: Request): string {
  if (query.some(([name]) => name === '')) throw new Problem('incorrect', 'a parameter has no name');
  const criteria = query.filter(([name]) => name !== '_format' && name !== '_pretty');
  return new URLSearchParams(criteria.map(([name, value]): [string, string] => [name, value])).toString();
}
