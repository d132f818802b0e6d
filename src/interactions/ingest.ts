/**
 * DocumentReference/$ingest: a letter in (design.md sections 4 and 5, decisions 9 and 10), and Task/$retry of one that a
 * person has looked at. A letter that cannot be read, or whose patient is in doubt, is not lost: its bytes and a Task stay.
 */
import { Problem } from '../base/index.ts';
import { mayEverything } from '../access/index.ts';
import { parseJson, type Resource, serializeJson } from '../fhir/index.ts';
import type { Answer, Context, Request } from './context.ts';
import type { Incoming } from './letter-review.ts';
import type { LetterStoreSettings } from './letter-store.ts';
import type { Operation } from './operations.ts';
import { readStored } from './read.ts';
import { takeIncoming } from './take-letter.ts';

export function ingestOperation(settings: LetterStoreSettings): Operation {
  return {
    name: 'ingest',
    type: 'DocumentReference',
    level: 'type',
    methods: ['POST'],
    takesBytes: true,
    documentation:
      'Takes letters as raw bytes (CDA R2, IHE XDM in a zip, MSSanté mail, HL7 v2 MDM, ORU or ADT) and stores what they say.',
    async run(context, request) {
      const { content } = request;
      if (content === undefined)
        throw new Problem('media-type', 'expected the bytes of a letter, e.g. application/cda+xml');
      const incoming = { bytes: content.bytes, contentType: carrierOf(content) };
      return asSeen(context, request, await ingest(context, settings, incoming));
    },
  };
}

export function retryOperation(settings: LetterStoreSettings): Operation {
  return {
    name: 'retry',
    type: 'Task',
    level: 'instance',
    methods: ['POST'],
    takesBytes: true,
    documentation: 'Takes a letter under review once more, after what stood in its way was corrected.',
    run: async (context, request) => asSeen(context, request, await retry(context, settings, request)),
  };
}

/** What each media type is kept and opened as. */
const carriers: ReadonlyMap<string, string> = new Map([
  ['application/xml', 'application/xml'],
  ['text/xml', 'text/xml'],
  ['application/cda+xml', 'application/cda+xml'],
  ['application/zip', 'application/zip'],
  ['application/x-zip-compressed', 'application/zip'],
  ['x-application/hl7-v2+er7', 'x-application/hl7-v2+er7'],
  ['application/hl7-v2', 'x-application/hl7-v2+er7'],
  ['message/rfc822', 'message/rfc822'],
]);

/** The type of the content, sniffed where the sender does not know it. Throws `media-type` for a carrier we do not read. */
function carrierOf({ type, bytes }: { readonly type: string; readonly bytes: Uint8Array }): string {
  const base = (type.split(';')[0] ?? '').trim().toLowerCase();
  const known = base === 'application/octet-stream' ? sniff(bytes) : carriers.get(base);
  if (known !== undefined) return known;
  throw new Problem(
    'media-type',
    'the letter is in a carrier that is not read: expected application/cda+xml, text/xml, application/zip (IHE XDM), message/rfc822 or x-application/hl7-v2+er7',
  );
}

function sniff(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 64));
  if (start.toString('latin1').startsWith('PK\u0003\u0004')) return 'application/zip';
  if (/^\v?MSH[^A-Za-z0-9\s]/.test(start.toString('latin1'))) return 'x-application/hl7-v2+er7';
  if (/^(?:[!-9;-~]{1,60}:[ \t]|From )/.test(start.toString('latin1'))) return 'message/rfc822';
  return /^(?:\ufeff)?\s*</.test(start.toString('utf8').replaceAll('\0', '')) ? 'text/xml' : undefined;
}

async function ingest(context: Context, settings: LetterStoreSettings, incoming: Incoming): Promise<Answer> {
  const outcome = await takeIncoming(context, settings, incoming);
  if (outcome.kind === 'refused') throw outcome.problem;
  return outcome.answer;
}

interface Told {
  readonly entry?: readonly { readonly resource?: unknown; readonly response?: Response }[];
}

interface Response {
  readonly status?: string;
  readonly location?: string;
}

/**
 * Whoever brings a letter is told what it made, and of what it found what he may see: to name a patient is not to be shown his record.
 * Of all else he is told where it stands.
 */
async function asSeen(context: Context, { caller, visible }: Request, answer: Answer): Promise<Answer> {
  if (answer.body === undefined || (mayEverything(caller) && context.audit === undefined)) return answer;
  const bundle = parseJson(answer.body) as Told & Resource;
  const { entry = [] } = bundle;
  if (bundle.resourceType !== 'Bundle') return answer;
  const shown = entry.map(({ response }) => referenceOf(response));
  const stored = await context.store.readMany([...new Set(shown)], visible);
  const seen = new Set(stored.map(({ type, id }) => `${type}/${id}`));
  const told = entry.map((one) => {
    const { resource: _unseen, ...rest } = one;
    return one.response?.status === '201' || seen.has(referenceOf(one.response)) ? one : rest;
  });
  const isWhole = told.every((one, at) => one === entry[at]);
  return { ...answer, shown, ...(isWhole ? {} : { body: serializeJson({ ...bundle, entry: told }) }) };
}

/** `Type/id` of a version's URL. */
function referenceOf({ location = '' }: Response = {}): string {
  return location.split('/').slice(-4, -2).join('/');
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
