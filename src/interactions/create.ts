/** create and conditional create (https://hl7.org/fhir/R4/http.html#create, #ccreate). */
import { simplifiedFlavour } from '../documents/index.ts';
import { type Answer, answerStored, type Context, type Request, requireType } from './context.ts';
import { publishSimplified } from './simplified-publish.ts';
import { requireResource } from './valid.ts';
import { answerOne, writeOne, writePlanned } from './write.ts';

export async function create(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  const { type, ifNoneExist } = request;
  const resource = await requireResource(context, type, request.body);
  const simplified = type === 'DocumentReference' ? simplifiedFlavour(resource) : undefined;
  if (simplified !== undefined) return publishSimplified(context, request, { resource, flavour: simplified });
  if (ifNoneExist === undefined) {
    const id = context.ids.next(context.clock.now());
    const written = await writeOne(context, { method: 'POST', type, id, resource, expectNew: true }, request);
    return answerOne(context, request, written);
  }
  const wanted = { method: 'POST' as const, type, resource, criteria: ifNoneExist };
  const { plan, written } = await writePlanned(context, request, wanted);
  const stored = plan.found?.stored;
  if (stored !== undefined) {
    const location = `${context.baseUrl}/${stored.type}/${stored.id}/_history/${stored.version}`;
    return { ...answerStored(200, stored), location };
  }
  const [first] = written;
  if (first === undefined) throw new Error('a commit of one entry answered none');
  return answerOne(context, request, first);
}
