/** create and conditional create (https://hl7.org/fhir/R4/http.html#create, #ccreate). */
import { type Answer, answerStored, type Context, type Request, requireType } from './context.ts';
import { findMatch } from './match.ts';
import { answerOne, requireResource, writeGuarded, writeOne } from './write.ts';

export async function create(context: Context, request: Request): Promise<Answer> {
  requireType(context, request.type);
  const resource = await requireResource(context, request.type, request.body);
  const entry = {
    method: 'POST' as const,
    type: request.type,
    id: context.ids.next(context.clock.now()),
    resource,
    expectNew: true,
  };
  const criteria = request.ifNoneExist;
  if (criteria === undefined) return answerOne(context, request, await writeOne(context, entry));
  return context.store.transaction(async (session) => {
    const match = await findMatch(context, session, { type: request.type, criteria, visible: request.visible });
    if (match !== undefined) {
      const location = `${context.baseUrl}/${match.type}/${match.id}/_history/${match.version}`;
      return { ...answerStored(200, match), location };
    }
    const [written] = await writeGuarded(context, session, [entry]);
    if (written === undefined) throw new Error('a commit of one entry answered none');
    return answerOne(context, request, written);
  });
}
