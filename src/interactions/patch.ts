/** patch and conditional patch (https://hl7.org/fhir/R4/http.html#patch): JSON Patch or FHIRPath Patch, all or nothing. */
import { Problem } from '../base/index.ts';
import { type Answer, type Context, isId, type Request, requireType } from './context.ts';
import { readPatch } from './patch-document.ts';
import type { Wanted } from './plan.ts';
import { queryText } from './update.ts';
import { answerWritten, writePlanned } from './write.ts';

export async function patch(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  const { id = '' } = request;
  if (!isId(id)) throw new Problem('not-found', `no ${request.type} with this id`);
  return patchPlanned(context, request, { id });
}

export async function patchByCriteria(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  return patchPlanned(context, request, { criteria: queryText(request) });
}

async function patchPlanned(
  context: Context,
  request: Request,
  target: Pick<Wanted, 'id' | 'criteria'>,
): Promise<Answer> {
  const { type, ifMatch } = request;
  const wanted = { method: 'PATCH' as const, type, ...target, patch: readPatch(context, request), ifMatch };
  const { written } = await writePlanned(context, request, wanted);
  const [first] = written;
  if (first === undefined) throw new Error('a patch answered nothing');
  return answerWritten(context, request, first);
}
