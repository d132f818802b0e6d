/**
 * Breaking the glass (CSP L1111-17): a professional who stands in no relation to a patient says why he must see the record now, and sees
 * it for four hours, or until he ends it. Never where the patient has refused him, or everybody; a few times an hour at most; start,
 * end, refusals and each access under it are in the audit log, without which it cannot be done.
 *
 *     POST Patient/[id]/$break-glass        Parameters: reason (string)  ->  Parameters: patient, until
 *     POST Patient/[id]/$break-glass-end
 *
 * One patient at a time: breaking the glass for another replaces the former.
 */
import { type Caller, callerKey, forbidden, hasRight } from '../access/index.ts';
import { formatInstant, Problem } from '../base/index.ts';
import type { Database } from '../db/index.ts';
import { everything } from '../store/index.ts';
import { countBroken, endBroken, findBroken, hasRefused, insertBroken } from './break-glass.sql.ts';
import { type Answer, type Context, isId, type Request } from './context.ts';
import { readInputs, single } from './inputs.ts';
import type { Operation } from './operations.ts';

export const breakGlassLimits = { lifeMs: 4 * 3_600_000, perHour: 5, reasonMin: 10, reasonMax: 1000 } as const;

export const breakGlassOperations: readonly Operation[] = [
  {
    name: 'break-glass',
    type: 'Patient',
    level: 'instance',
    methods: ['POST'],
    takesBytes: false,
    documentation: 'Opens the record for four hours in an emergency, with a reason, unless the patient has refused.',
    run: breakGlass,
  },
  {
    name: 'break-glass-end',
    type: 'Patient',
    level: 'instance',
    methods: ['POST'],
    takesBytes: false,
    documentation: 'Ends what $break-glass opened.',
    run: endGlass,
  },
];

/** The caller, with the glass that he has broken and that is still open. */
export async function withBrokenGlass(db: Database, caller: Caller, nowMs: number): Promise<Caller> {
  if (caller.kind !== 'user' || !hasRight(caller, 'break-glass')) return caller;
  const found = await findBroken(db, callerKey(caller), nowMs);
  if (found === undefined) return caller;
  const { patient, reason, until } = found;
  return { ...caller, breakGlass: { patient, reason, untilMs: until.getTime() } };
}

async function breakGlass(context: Context, request: Request): Promise<Answer> {
  const { audit, store, clock } = context;
  const { id = '', caller, origin } = request;
  // A person of flesh and blood, by number; and somebody must see that it was done.
  if (caller.kind !== 'user' || caller.subject?.rpps === undefined) throw forbidden();
  if (audit === undefined) throw new Problem('unsupported', 'no audit log is kept here (SUTURE_AUDIT)');
  const reason = readReason(request);
  const patient = `Patient/${id}`;
  const nowMs = clock.now();
  const untilMs = nowMs + breakGlassLimits.lifeMs;
  const owner = callerKey(caller);
  await store.transaction(async (session) => {
    if ((await countBroken(session, owner, nowMs - 3_600_000)) >= breakGlassLimits.perHour) {
      throw new Problem('throttled', 'the glass was broken too often within an hour', { retryAfterMs: 3_600_000 });
    }
    const stored = isId(id) ? await session.read('Patient', id, everything) : undefined;
    if (stored === undefined || stored.isDeleted) throw new Problem('not-found', 'no Patient with this id');
    if (await hasRefused(session, { patient, names: context.access.namesOf(caller), nowMs })) throw forbidden();
    await insertBroken(session, { id: context.ids.next(nowMs), owner, patient, reason, nowMs, untilMs });
    const note = { code: 'break-glass', status: 200, caller, origin, concerns: [patient], data: [patient] };
    await audit.within(session).note([{ ...note, detail: { reason } }]);
  });
  const parameter = [
    { name: 'patient', valueReference: { reference: patient } },
    { name: 'until', valueDateTime: formatInstant(untilMs) },
  ];
  return { status: 200, body: JSON.stringify({ resourceType: 'Parameters', parameter }) };
}

/** Of some length: one word is no reason. As one line without control characters. */
function readReason(request: Request): string {
  const given = single(readInputs(request, ['reason']), 'reason') ?? '';
  const text = given.length <= breakGlassLimits.reasonMax * 2 ? given : '';
  const reason = text.replaceAll(/[\p{C}\s]+/gu, ' ').trim();
  if (reason.length >= breakGlassLimits.reasonMin && reason.length <= breakGlassLimits.reasonMax) return reason;
  const { reasonMin, reasonMax } = breakGlassLimits;
  throw new Problem('incorrect', `expected a parameter reason of ${reasonMin} to ${reasonMax} characters`);
}

async function endGlass(context: Context, { id = '', caller, origin }: Request): Promise<Answer> {
  const { audit, store, clock } = context;
  const patient = `Patient/${id}`;
  await store.transaction(async (session) => {
    const isEnded = await endBroken(session, { owner: callerKey(caller), patient, nowMs: clock.now() });
    if (!isEnded) throw new Problem('not-found', 'no Patient with this id');
    const note = { code: 'break-glass-end', status: 200, caller, origin, concerns: [patient], data: [patient] };
    await audit?.within(session).note([note]);
  });
  return { status: 204 };
}
