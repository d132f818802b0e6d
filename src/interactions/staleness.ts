/**
 * Who bears an older answer, and gets it from the replica. A request says so by itself, as RFC 9111 has it (§5.2.1.2):
 * `Cache-Control: max-stale=5`, or `max-stale` for whatever the server allows; without it every answer has what was written before. The
 * answer tells in `Age` (§5.1) how many seconds it may be behind.
 *
 * Only what reads the record: operations may write, and entries of a Bundle see each other. Who may see what is decided by the
 * statement, on the replica as of the same moment as the record; who asks, and the audit log, is a matter of the primary.
 */
import type { Answer, Context, Request } from './context.ts';
import type { InteractionCode } from './route.ts';

const readers: ReadonlySet<InteractionCode> = new Set([
  'read',
  'vread',
  'search-type',
  'search-system',
  'history-instance',
  'history-type',
  'history-system',
]);

/** The answer of `work`, given the context of the replica where request and replica allow it. */
export async function answerAsOld(
  context: Context,
  { code, request }: { readonly code: InteractionCode; readonly request: Request },
  work: (from: Context) => Promise<Answer>,
): Promise<Answer> {
  const { replica } = context;
  const { staleMs } = request;
  if (replica === undefined || staleMs === undefined || !readers.has(code)) return work(context);
  const ageMs = replica.ageMs();
  if (ageMs === undefined || ageMs > staleMs) {
    replica.count('primary');
    return work(context);
  }
  const answer = await work({ ...context, store: replica.store });
  replica.count('replica');
  return { ...answer, headers: { ...answer.headers, age: String(Math.ceil(ageMs / 1000)) } };
}
