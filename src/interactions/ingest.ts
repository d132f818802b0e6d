/**
 * DocumentReference/$ingest: a letter in (design.md sections 4 and 5, decisions 9 and 10), and Task/$retry of one that a
 * person has looked at. A letter that cannot be read, or whose patient is in doubt, is not lost: its bytes and a Task stay.
 */
import { formatInstant, Problem } from '../base/index.ts';
import { parseJson, type Resource, serializeJson } from '../fhir/index.ts';
import { type CarrierResult, openArchive, openMessage, readLetter } from '../letters/index.ts';
import type { Session } from '../store/index.ts';
import { bundleText } from './bundle-text.ts';
import type { Answer, Context, Request } from './context.ts';
import { type Incoming, type Outcome, type Refusal, review } from './letter-review.ts';
import { type LetterStoreSettings, storePlan } from './letter-store.ts';
import { withdrawPlan } from './letter-withdrawal.ts';
import type { Operation } from './operations.ts';
import { readStored } from './read.ts';
import { retryRace } from './write.ts';

export function ingestOperations(settings: LetterStoreSettings): readonly Operation[] {
  return [
    {
      name: 'ingest',
      type: 'DocumentReference',
      level: 'type',
      methods: ['POST'],
      takesBytes: true,
      documentation:
        'Takes letters as raw bytes (CDA R2, IHE XDM in a zip, HL7 v2 MDM or ORU) and stores what they say.',
      run(context, request) {
        const { content } = request;
        if (content === undefined)
          throw new Problem('media-type', 'expected the bytes of a letter, e.g. application/cda+xml');
        return ingest(context, settings, { bytes: content.bytes, contentType: carrierOf(content) });
      },
    },
    {
      name: 'retry',
      type: 'Task',
      level: 'instance',
      methods: ['POST'],
      takesBytes: true,
      documentation: 'Takes a letter under review once more, after what stood in its way was corrected.',
      run: (context, request) => retry(context, settings, request),
    },
  ];
}

const carriers: ReadonlyMap<string, string> = new Map([
  ['application/xml', 'application/xml'],
  ['text/xml', 'text/xml'],
  ['application/cda+xml', 'application/cda+xml'],
  ['application/zip', 'application/zip'],
  ['application/x-zip-compressed', 'application/zip'],
  ['x-application/hl7-v2+er7', 'x-application/hl7-v2+er7'],
  ['application/hl7-v2', 'x-application/hl7-v2+er7'],
]);

/** The type of the content, sniffed where the sender does not know it. Throws `media-type` for a carrier we do not read. */
function carrierOf({ type, bytes }: { readonly type: string; readonly bytes: Uint8Array }): string {
  const base = (type.split(';')[0] ?? '').trim().toLowerCase();
  const known = base === 'application/octet-stream' ? sniff(bytes) : carriers.get(base);
  if (known !== undefined) return known;
  throw new Problem(
    'media-type',
    'the letter is in a carrier that is not read: expected application/cda+xml, text/xml, application/zip (IHE XDM) or x-application/hl7-v2+er7',
  );
}

function sniff(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 64));
  if (start.toString('latin1').startsWith('PK\u0003\u0004')) return 'application/zip';
  if (/^\v?MSH[^A-Za-z0-9\s]/.test(start.toString('latin1'))) return 'x-application/hl7-v2+er7';
  return /^(?:\ufeff)?\s*</.test(start.toString('utf8').replaceAll('\0', '')) ? 'text/xml' : undefined;
}

/** The letters in what came in: one that is a document, or all of an archive. */
async function open({ bytes, contentType }: Incoming): Promise<CarrierResult> {
  if (contentType === 'application/zip') return openArchive(bytes);
  if (contentType === 'x-application/hl7-v2+er7') return openMessage(bytes);
  return { kind: 'letters', letters: [{ bytes, visibility: [], isWithdrawal: false }] };
}

/** All letters of a carrier in one transaction, or none of them and a review of the carrier. */
async function ingest(context: Context, settings: LetterStoreSettings, incoming: Incoming): Promise<Answer> {
  const receivedAt = formatInstant(context.clock.now());
  const newId = (): string => context.ids.next(context.clock.now());
  const opened = await open(incoming);
  const read =
    opened.kind === 'review'
      ? [opened]
      : opened.letters.map(({ bytes, visibility, claims, isWithdrawal }) => {
          const result = readLetter(bytes, {
            zone: settings.zone,
            newId,
            receivedAt,
            visibility,
            ...(claims && { claims }),
          });
          return { ...result, isWithdrawal };
        });
  const reasons = read.flatMap((result) => (result.kind === 'review' ? result.reasons : []));
  const refuse = (refusal: Refusal): Promise<Outcome> =>
    context.store.transaction((session) => review(context, session, incoming, refusal));
  const outcome = await retryRace(() =>
    reasons.length > 0 ? refuse({ category: 'unprocessable', reasons }) : storeAll(),
  );
  if (outcome.kind === 'refused') throw outcome.problem;
  return outcome.answer;

  async function storeAll(): Promise<Outcome> {
    const answers: Answer[] = [];
    const refusal = await undoable(context, async (session) => {
      for (const [place, result] of read.entries()) {
        if (result.kind === 'review') continue;
        const task =
          place === read.length - 1 ? incoming : { bytes: incoming.bytes, contentType: incoming.contentType };
        const run = { context, session, settings, incoming: task };
        const stored = await (result.isWithdrawal ? withdrawPlan(run, result.plan) : storePlan(run, result.plan));
        if (stored.kind === 'refusal') return stored.refusal;
        answers.push(stored.answer);
      }
      return undefined;
    });
    return refusal === undefined ? { kind: 'stored', answer: joinAnswers(answers) } : refuse(refusal);
  }
}

/** Work whose refusal undoes what it has written before it. */
async function undoable(
  context: Context,
  work: (session: Session) => Promise<Refusal | undefined>,
): Promise<Refusal | undefined> {
  const undone = new Problem('unprocessable', 'undone');
  let refusal: Refusal | undefined;
  try {
    await context.store.transaction(async (session) => {
      refusal = await work(session);
      if (refusal !== undefined) throw undone;
    });
  } catch (error) {
    if (error !== undone) throw error;
  }
  return refusal;
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

async function retry(context: Context, settings: LetterStoreSettings, request: Request): Promise<Answer> {
  const task = JSON.parse((await readStored(context, request)).raw) as Resource;
  const codings = (task['code'] as { coding?: readonly { code?: string }[] } | undefined)?.coding ?? [];
  const { reference = '' } = (task['focus'] ?? {}) as { reference?: string };
  if (!codings.some(({ code }) => code === 'review-letter') || !reference.startsWith('Binary/')) {
    throw new Problem('unprocessable', 'the Task is no review of a letter');
  }
  if (task['status'] === 'completed')
    throw new Problem('unprocessable', 'the review is completed: the letter was taken');
  const stored = await readStored(context, { ...request, type: 'Binary', id: reference.slice('Binary/'.length) });
  const { data = '', contentType = 'text/xml' } = JSON.parse(stored.raw) as { data?: string; contentType?: string };
  return ingest(context, settings, { bytes: Buffer.from(data, 'base64'), contentType, task });
}
