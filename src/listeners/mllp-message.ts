/**
 * One HL7 v2 message that came by MLLP -> its acknowledgement, which is made after the commit. The same message again (sender,
 * MSH-10 and content) is answered again and does nothing; another under the same MSH-10 is refused (rows L8, L12).
 *
 *   AA  taken, or taken before
 *   AE  what it says is refused: kept for a person where it is a document or a stay; an unknown event; MSH-10 missing or used
 *   AR  header unreadable, sender not among the partners, the server cannot now: the sender may try again
 */
import { createHash } from 'node:crypto';
import {
  type Clock,
  formatInstant,
  type Ids,
  type Issue,
  type Log,
  Problem,
  problemCategories,
} from '../base/index.ts';
import type { Queryable } from '../db/index.ts';
import { acknowledge, type Hl7Error, type Hl7Message, parseHl7, readHeader, valueOf } from '../formats/index.ts';
import { addReceipt, compareReceipt, type Receipt, type TakeLetter } from '../interactions/index.ts';

export interface Partner {
  /** MSH-3 and MSH-4. */
  readonly application: string;
  readonly facility: string;
  /** Name in the certificate (CN or DNS) that this sender must have; undefined: any. */
  readonly certificate: string | undefined;
}

export interface MllpWork {
  readonly clock: Clock;
  readonly take: TakeLetter;
  readonly db: Queryable;
  readonly ids: Ids;
  readonly log: Log;
  /** undefined: whoever can connect. */
  readonly partners: readonly Partner[] | undefined;
}

interface Verdict {
  readonly code: 'AA' | 'AE' | 'AR';
  readonly errors: readonly Hl7Error[];
}

const taken: Verdict = { code: 'AA', errors: [] };

/** `names`: those of the certificate. Answers undefined for an ACK: nobody acknowledges acknowledgements. */
export async function answerMessage(
  work: MllpWork,
  bytes: Buffer,
  names: readonly string[],
): Promise<string | undefined> {
  const parsed = parseHl7(bytes);
  const message = parsed.kind === 'message' ? parsed.message : readHeader(bytes);
  if (message !== undefined && valueOf(message, message.segments[0], 9) === 'ACK') return undefined;
  const verdict =
    parsed.kind === 'refused' ? unreadable(parsed.issue) : await judge(work, { bytes, message: parsed.message, names });
  const now = work.clock.now();
  work.log.info(
    { component: 'mllp', reason: verdict.code, ...(verdict.errors[0] && { kind: verdict.errors[0].code }) },
    'message',
  );
  const at = formatInstant(now).replace(/[-:T]|\.\d+Z$/g, '');
  return acknowledge(message, { ...verdict, at: `${at}+0000`, controlId: work.ids.next(now) });
}

function refusal(code: 'AE' | 'AR', error: Hl7Error): Verdict {
  return { code, errors: [error] };
}

/** Without a header of its own nobody knows what was sent, and the next attempt may be whole. */
function unreadable({ text, expression }: Issue): Verdict {
  const isHeader = expression === 'MSH' || expression === 'MSH-2';
  return refusal(isHeader ? 'AR' : 'AE', { code: '100', text, ...(expression && { place: expression }) });
}

interface Received {
  readonly bytes: Buffer;
  readonly message: Hl7Message;
  readonly names: readonly string[];
}

async function judge(work: MllpWork, received: Received): Promise<Verdict> {
  const { message, bytes } = received;
  const of = (field: number) => valueOf(message, message.segments[0], field);
  if (!isPartner(work, of(3), of(4), received.names))
    return refusal('AR', { code: '207', text: 'émetteur inconnu', place: 'MSH-3' });
  const name = of(10);
  if (name === '') return refusal('AE', { code: '101', text: 'le message n’a pas d’identifiant', place: 'MSH-10' });
  const content = createHash('sha256').update(bytes).digest('hex');
  const receipt: Receipt = { channel: 'mllp', sender: `${of(3)}|${of(4)}`, name, content };
  try {
    return await takeOnce(work, receipt, bytes);
  } catch (error) {
    return unable(work, error);
  }
}

async function takeOnce(work: MllpWork, receipt: Receipt, bytes: Buffer): Promise<Verdict> {
  const known = await compareReceipt(work.db, receipt);
  if (known === 'same') return taken;
  if (known === 'other') {
    const text = 'un autre message a été pris sous le même identifiant';
    return refusal('AE', { code: '205', text, place: 'MSH-10' });
  }
  const outcome = await work.take({ bytes, contentType: 'x-application/hl7-v2+er7' });
  if (outcome.kind === 'refused') return { code: 'AE', errors: outcome.problem.issues.map(errorOf) };
  await addReceipt(work.db, receipt, work.clock.now());
  return taken;
}

function errorOf({ text, expression, diagnostics, code }: Issue): Hl7Error {
  const place = expression === undefined || expression.startsWith('/') ? {} : { place: expression };
  if (code === 'not-supported' && expression === 'MSH-9') return { code: '201', text, ...place };
  const application = /^90[0-6]$/.test(diagnostics ?? '') ? { application: diagnostics ?? '' } : {};
  return { code: code === 'required' && place.place !== undefined ? '101' : '207', text, ...place, ...application };
}

/** Whatever the server could not do now; its own faults too, which a person must look at. */
function unable(work: MllpWork, error: unknown): Verdict {
  const category = error instanceof Problem ? error.category : 'fault';
  const { log } = problemCategories[category];
  work.log[log]({ component: 'mllp', reason: category }, 'a message could not be taken');
  return refusal(problemCategories[category].retried ? 'AR' : 'AE', {
    code: '207',
    text: 'le message n’a pas pu être pris',
  });
}

function isPartner({ partners }: MllpWork, application: string, facility: string, names: readonly string[]): boolean {
  if (partners === undefined) return true;
  return partners.some(
    (one) =>
      one.application === application &&
      one.facility === facility &&
      (one.certificate === undefined || names.includes(one.certificate)),
  );
}
