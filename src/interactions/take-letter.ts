/**
 * Whatever carries letters, opened, understood and stored: all of it in one transaction, or none of it and a review of the
 * carrier (design.md section 4, "Letter in"). $ingest, $retry and the listeners all come here.
 */
import { formatInstant, type Issue, Problem, type ProblemCategory } from '../base/index.ts';
import type { Transaction } from '../db/index.ts';
import { parseJson, serializeJson } from '../fhir/index.ts';
import { parseHl7 } from '../formats/index.ts';
import {
  type AdmissionResult,
  type AdmissionSettings,
  type CarriedLetter,
  isAdmission,
  type LetterResult,
  type MailOpened,
  type MailReceipt,
  openArchive,
  openMail,
  openMessage,
  patientsDiffer,
  readAdmission,
  readLetter,
} from '../letters/index.ts';
import type { Session } from '../store/index.ts';
import { storeAdmission } from './admission.ts';
import { bundleText } from './bundle-text.ts';
import type { Answer, Context } from './context.ts';
import { type Incoming, type Outcome, type Refusal, review } from './letter-review.ts';
import { type LetterStoreSettings, storePlan } from './letter-store.ts';
import { withdrawPlan } from './letter-withdrawal.ts';
import { addReceipt, compareReceipt } from './receipts.sql.ts';
import { answerAutomatic, takeReport } from './take-report.ts';
import { retryRace } from './write.ts';

/** Takes what comes by a listener; what is refused for what it says is kept for a person, and told. */
export type TakeLetter = (incoming: { readonly bytes: Uint8Array; readonly contentType: string }) => Promise<Outcome>;

export function createTakeLetter(context: Context, settings: LetterStoreSettings): TakeLetter {
  return (incoming) => takeIncoming(context, settings, incoming);
}

interface Taking {
  readonly context: Context;
  readonly settings: LetterStoreSettings;
  readonly incoming: Incoming;
}

export async function takeIncoming(
  context: Context,
  settings: LetterStoreSettings,
  incoming: Incoming,
): Promise<Outcome> {
  const taking = { context, settings, incoming };
  try {
    return await takeOpened(taking, await open(taking));
  } catch (error) {
    if (!(error instanceof Problem) || !forPerson.has(error.category)) throw error;
    return retryRace(() => refuse(taking, { category: 'unprocessable', reasons: error.issues }));
  }
}

/** What the record refuses to hold, or to be asked for, is the letter's own fault: a person sees to it, as to all that is refused. */
const forPerson: ReadonlySet<ProblemCategory> = new Set([
  'incorrect',
  'unprocessable',
  'unsupported-parameter',
  'too-costly',
  'content-too-costly',
]);

async function takeOpened(taking: Taking, opened: Opened): Promise<Outcome> {
  const { context } = taking;
  switch (opened.kind) {
    case 'admission':
      return take(taking, (session, tx) => storeAdmission({ ...taking, session, tx }, opened.admission));
    case 'review':
      return refuse(taking, { category: 'unprocessable', reasons: opened.reasons });
    case 'letters':
      return takeLetters(taking, opened.letters, undefined);
    case 'mail-letters':
      return takeLetters(taking, opened.letters, opened.receipt);
    case 'delivery-report':
      return takeReport(context, opened);
    case 'automatic':
      return answerAutomatic();
  }
}

type Opened = MailOpened | AdmissionResult;

function newIds({ clock, ids }: Context): () => string {
  return () => ids.next(clock.now());
}

/** What is in it: one letter, those of an archive, message or mail; what a hospital says of a stay; what became of a mail. */
async function open({ context, settings, incoming }: Taking): Promise<Opened> {
  const { bytes, contentType } = incoming;
  switch (contentType) {
    case 'application/zip':
      return openArchive(bytes);
    case 'message/rfc822':
      return openMail(bytes, { senders: settings.mailSenders });
    case 'x-application/hl7-v2+er7':
      return openHl7(bytes, { zone: settings.zone, newId: newIds(context) });
    default:
      return { kind: 'letters', letters: [{ bytes, visibility: [], isWithdrawal: false }] };
  }
}

function openHl7(bytes: Uint8Array, settings: AdmissionSettings): Opened {
  const parsed = parseHl7(bytes);
  if (parsed.kind === 'refused') return { kind: 'review', reasons: [parsed.issue] };
  return isAdmission(parsed.message) ? readAdmission(parsed.message, bytes, settings) : openMessage(parsed.message);
}

type Stored =
  | { readonly kind: 'stored'; readonly answer: Answer }
  | { readonly kind: 'refusal'; readonly refusal: Refusal };

/** One transaction; a refusal undoes it, and the carrier is kept for a person. */
function take(taking: Taking, store: (session: Session, tx: Transaction) => Promise<Stored>): Promise<Outcome> {
  const { context } = taking;
  return retryRace(async () => {
    const undone = new Problem('unprocessable', 'undone');
    let stored: Stored | undefined;
    try {
      await context.store.transaction(async (session, tx) => {
        stored = await store(session, tx);
        if (stored.kind === 'refusal') throw undone;
      });
    } catch (error) {
      if (error !== undone) throw error;
    }
    if (stored === undefined) throw new Error('what was taken is stored or refused');
    return stored.kind === 'stored' ? stored : refuse(taking, stored.refusal);
  });
}

function refuse({ context, incoming }: Taking, refusal: Refusal): Promise<Outcome> {
  return context.store.transaction((session) => review(context, session, incoming, refusal));
}

/** All letters of a carrier, which are of one patient. */
function takeLetters(
  taking: Taking,
  letters: readonly CarriedLetter[],
  receipt: MailReceipt | undefined,
): Promise<Outcome> {
  const read = letters.map((letter) => readCarried(taking, letter));
  const reasons = read.flatMap((result) => (result.kind === 'review' ? result.reasons : []));
  const plans = read.flatMap((result) => (result.kind === 'review' ? [] : [result]));
  if (reasons.length === 0 && patientsDiffer(plans.map(({ plan }) => plan))) reasons.push(severalPatients);
  if (reasons.length > 0) return retryRace(() => refuse(taking, { category: 'unprocessable', reasons }));
  return take(taking, async (session, tx) => {
    if (receipt !== undefined && (await compareMail(tx, receipt)) === 'other')
      return { kind: 'refusal', refusal: { category: 'conflict', reasons: [otherMail] } };
    const answers: Answer[] = [];
    for (const [place, { plan, isWithdrawal }] of plans.entries()) {
      const { bytes, contentType } = taking.incoming;
      const run = {
        ...taking,
        session,
        incoming: place === plans.length - 1 ? taking.incoming : { bytes, contentType },
      };
      const stored = await (isWithdrawal ? withdrawPlan(run, plan) : storePlan(run, plan));
      if (stored.kind === 'refusal') return stored;
      answers.push(stored.answer);
    }
    if (receipt !== undefined)
      await addReceipt(tx, { channel: 'mail', sender: '', ...receipt }, taking.context.clock.now());
    return { kind: 'stored', answer: joinAnswers(answers) };
  });
}

function readCarried(
  { context, settings }: Taking,
  { bytes, visibility, claims, hints, metadata, isWithdrawal }: CarriedLetter,
): LetterResult & { readonly isWithdrawal: boolean } {
  const result = readLetter(bytes, {
    zone: settings.zone,
    newId: newIds(context),
    receivedAt: formatInstant(context.clock.now()),
    visibility,
    ...(claims && { claims }),
    ...(hints && { hints }),
    ...(metadata && { metadata }),
  });
  return { ...result, isWithdrawal };
}

const severalPatients: Issue = {
  severity: 'error',
  code: 'conflict',
  text: 'l’envoi porte les documents de plusieurs patients',
  diagnostics: '904',
};

const otherMail: Issue = {
  severity: 'error',
  code: 'duplicate',
  text: 'un autre courriel a été pris sous le même Message-ID',
  expression: 'message-id',
};

function compareMail(tx: Transaction, receipt: MailReceipt): Promise<'new' | 'same' | 'other'> {
  return compareReceipt(tx, { channel: 'mail', sender: '', ...receipt });
}

/** One answer of several letters: created if any was, all their entries in order, the place of the first. */
function joinAnswers(answers: readonly Answer[]): Answer {
  const [first] = answers;
  if (first === undefined) throw new Error('a carrier without letters is refused before');
  if (answers.length === 1) return first;
  const bundles = answers.map(({ body = '{}' }) => parseJson(body) as { entry?: readonly unknown[] });
  const entries = bundles.flatMap(({ entry = [] }) => entry.map((one) => serializeJson(one)));
  const status = answers.some((answer) => answer.status === 201) ? 201 : 200;
  return { ...first, status, body: bundleText({ type: 'transaction-response', entries }) };
}
