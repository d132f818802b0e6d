/**
 * DocumentReference/$ingest: a letter in (design.md sections 4 and 5, decisions 9 and 10), and Task/$retry of one that a
 * person has looked at.. A letter that cannot be read, or whose patient is in doubt, is not lost: its bytes and a Task stay.
 */
import { formatInstant, Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { readLetter } from '../letters/index.ts';
import type { Answer, Context, Request } from './context.ts';
import { type Incoming, review } from './letter-review.ts';
import { type LetterStoreSettings, storePlan } from './letter-store.ts';
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
      documentation: 'Takes a letter as raw bytes (CDA R2) and stores what it says.',
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

const carriers: ReadonlySet<string> = new Set(['application/xml', 'text/xml', 'application/cda+xml']);

/** The type of the content, sniffed where the sender does not know it. Throws `media-type` for a carrier we do not read. */
function carrierOf({ type, bytes }: { readonly type: string; readonly bytes: Uint8Array }): string {
  const base = (type.split(';')[0] ?? '').trim().toLowerCase();
  if (carriers.has(base)) return base;
  const looksLikeXml = /^(?:\ufeff)?\s*</.test(
    Buffer.from(bytes.subarray(0, 64)).toString('utf8').replaceAll('\0', ''),
  );
  if (base === 'application/octet-stream' && looksLikeXml) return 'text/xml';
  throw new Problem(
    'media-type',
    'the letter is in a carrier that is not read: expected application/cda+xml or text/xml',
  );
}

async function ingest(context: Context, settings: LetterStoreSettings, incoming: Incoming): Promise<Answer> {
  const receivedAt = formatInstant(context.clock.now());
  const newId = (): string => context.ids.next(context.clock.now());
  const result = readLetter(incoming.bytes, { zone: settings.zone, newId, receivedAt });
  const outcome = await retryRace(() =>
    context.store.transaction((session) =>
      result.kind === 'review'
        ? review(context, session, incoming, { category: 'unprocessable', reasons: result.reasons })
        : storePlan({ context, session, settings, incoming }, result.plan),
    ),
  );
  if (outcome.kind === 'refused') throw outcome.problem;
  return outcome.answer;
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
