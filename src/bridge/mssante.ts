/**
 * DocumentReference/[id]/$mssante: the document as a mail to an MSSanté mailbox. The request records a Communication and a durable
 * job in one transaction; the job writes the mail and hands it to the SMTP server.
 *
 * A crash loses nothing: the job is there until its outcome is committed. Not twice, as far as SMTP permits: the mail is the same
 * bytes with the same Message-ID each time; one that certainly was not taken is tried again soon; one whose answer was lost waits
 * a quarter of an hour for a report (DSN, MDN), and is sent again only when the Communication is still in preparation then; so does
 * one whose sender was killed, for nobody knows how far he came.
 */
import type { Communication } from 'fhir/r4.js';
import { formatInstant, Problem } from '../base/index.ts';
import { afterSending, describeMail, recordSending, type Sent } from '../documents/index.ts';
import { isMailbox, parseXml, readClinicalDocument, writeMail } from '../formats/index.ts';
import type { Resource } from '../fhir/index.ts';
import {
  answerWritten,
  type Answer,
  type Context,
  type Input,
  type Operation,
  readInputs,
  type Request,
  single,
  onItsOwn,
  writeGuarded,
} from '../interactions/index.ts';
import { isInDomains, type Smtp, waitAfter } from '../notify/index.ts';
import { finishJob, type Job, requestJobs, type Work } from '../queue/index.ts';
import { everything } from '../store/index.ts';
import { loadDocument, readAll } from './load.ts';
import { archiveOf } from './xdm.ts';

export interface MssanteSettings {
  /** undefined: mail cannot leave. */
  readonly smtp: Smtp | undefined;
  readonly domains: ReadonlySet<string>;
  readonly softwareNumber: string | undefined;
  readonly zone: string;
}

const kind = 'mssante';
/** Real mailboxes take about 10 MB; Mon espace santé 25. */
const mailBytesMax = 25 * 1024 * 1024;
const textLengthMax = 20_000;
const uncertainWaitMs = 15 * 60_000;
const concurrency = 4;

interface Payload {
  readonly document: string;
  readonly mailbox: string;
  readonly text: string | undefined;
  readonly isLast: boolean;
  readonly askedAtMs: number;
  readonly failures: number;
}

export function mssanteOperation(settings: MssanteSettings): Operation {
  return {
    name: 'mssante',
    type: 'DocumentReference',
    level: 'instance',
    methods: ['POST'],
    takesBytes: false,
    documentation:
      'Sends the document by MSSanté to the mailbox `to`, or to one of the recipient named by `recipient`; answers the Communication.',
    run: (context, request) => ask(settings, context, request),
  };
}

async function ask(settings: MssanteSettings, context: Context, request: Request): Promise<Answer> {
  const { smtp } = settings;
  if (smtp === undefined)
    throw new Problem('unsupported', 'this server sends no mail by MSSanté: its settings name no server');
  const inputs = readInputs(request, ['to', 'recipient', 'text', 'final']);
  const document = await loadDocument(context, request);
  const { mailbox, recipient } = await findMailbox(settings, context, request, inputs);
  const text = single(inputs, 'text');
  if ((text?.length ?? 0) > textLengthMax) throw new Problem('content-too-costly', 'the text of the mail is too long');
  const id = context.ids.next(context.clock.now());
  const communication = recordSending(document, { id, messageId: messageIdOf(id, smtp), recipient, mailbox });
  const askedAtMs = context.clock.now();
  const isLast = single(inputs, 'final') === 'true';
  const payload: Payload = { document: request.id ?? '', mailbox, text, isLast, askedAtMs, failures: 0 };
  // Written once before anything is promised: what cannot be sent is refused now.
  await compose(settings, context, id, payload);
  const written = await context.store.transaction(async (session, tx) => {
    const resource = communication as unknown as Resource;
    const entry = { method: 'POST' as const, type: 'Communication', id, resource, expectNew: true };
    const [first] = await writeGuarded(context, session, [entry], request);
    await requestJobs(tx, [{ kind, key: id, runAtMs: askedAtMs, payload }]);
    return first;
  });
  if (written === undefined) throw new Error('a commit of one entry answered none');
  return answerWritten(context, { ...request, returnPreference: 'representation' }, written);
}

const messageIdOf = (id: string, { from }: Smtp): string => `<${id}@${from.split('@').at(-1) ?? ''}>`;

interface Found {
  readonly mailbox: string;
  readonly recipient: { readonly reference?: string };
}

async function findMailbox(
  { domains }: MssanteSettings,
  context: Context,
  request: Request,
  inputs: readonly Input[],
): Promise<Found> {
  const to = single(inputs, 'to')?.replace(/^mailto:/i, '');
  const named = single(inputs, 'recipient');
  const recipient = named === undefined ? {} : { reference: named };
  if (to !== undefined) {
    if (!isMailbox(to)) throw new Problem('incorrect', 'the mailbox is not one plain address');
    if (!isInDomains(to, domains))
      throw new Problem('unprocessable', 'the mailbox is in no domain of MSSanté that is known here');
    return { mailbox: to, recipient };
  }
  if (named === undefined)
    throw new Problem('incorrect', 'expected the parameter to (a mailbox) or recipient (a reference)');
  const mailboxes = (await telecomsOf(context, request, named)).filter(
    (one) => isMailbox(one) && isInDomains(one, domains),
  );
  const [mailbox] = mailboxes;
  if (mailbox === undefined) throw new Problem('unprocessable', 'the recipient has no mailbox in a domain of MSSanté');
  return { mailbox, recipient };
}

interface Reachable {
  readonly telecom?: readonly { readonly system?: string; readonly value?: string }[];
  readonly practitioner?: { readonly reference?: string };
  readonly organization?: { readonly reference?: string };
}

/** Of the role, then of the person, then of the place. */
async function telecomsOf(context: Context, { visible }: Request, reference: string): Promise<readonly string[]> {
  const found = await readAll(context, [reference], visible);
  const first = found.get(reference) as Reachable | undefined;
  if (first === undefined) throw new Problem('unprocessable', 'the recipient is not in this record');
  const behind = [first.practitioner?.reference, first.organization?.reference].flatMap((one) => one ?? []);
  const others = await readAll(context, behind, visible);
  const all = [first, ...behind.flatMap((one) => (others.get(one) as Reachable | undefined) ?? [])];
  return all.flatMap(({ telecom = [] }) =>
    telecom.flatMap(({ system, value = '' }) => (system === 'email' ? value.replace(/^mailto:/i, '') : [])),
  );
}

/** The mail: the same bytes whenever it is written. */
async function compose(settings: MssanteSettings, context: Context, id: string, payload: Payload): Promise<Buffer> {
  const { smtp, softwareNumber, zone } = settings;
  if (smtp === undefined)
    throw new Problem('unavailable', 'this server sends no mail by MSSanté: its settings name no server');
  const document = await loadDocument(context, { id: payload.document, visible: everything });
  const archive = await archiveOf(context, document, payload.askedAtMs);
  const mail = describeMail(document, {
    messageId: messageIdOf(id, smtp),
    from: smtp.from,
    to: payload.mailbox,
    sentAtMs: payload.askedAtMs,
    softwareNumber,
    text: payload.text,
    isLast: payload.isLast,
    archive,
    pdf: pdfOf(document.bytes, document.reference.content[0]?.attachment.contentType ?? '', zone),
  });
  const bytes = await writeMail(mail);
  if (bytes.length <= mailBytesMax) return bytes;
  throw new Problem('content-too-costly', `the mail has more than the ${mailBytesMax} bytes that MSSanté takes`);
}

/** The document where it is a PDF, or a CDA of level 1 around one. */
function pdfOf(bytes: Uint8Array, contentType: string, zone: string): Uint8Array | undefined {
  if (contentType.startsWith('application/pdf')) return bytes;
  const xml = /xml/.test(contentType) ? parseXml(bytes) : undefined;
  const read = xml?.kind === 'tree' ? readClinicalDocument(xml.root, zone) : undefined;
  const body = read?.kind === 'document' ? read.document.body : undefined;
  return body?.kind === 'unstructured' && body.mediaType === 'application/pdf' ? body.read() : undefined;
}

export interface SendingInput {
  readonly context: Context;
  readonly holder: number;
  readonly random: () => number;
}

export function createMssanteWork(settings: MssanteSettings, input: SendingInput): Work {
  return {
    kind,
    concurrency,
    retryAfterMs: () => uncertainWaitMs,
    handle: (job) => send(settings, input, job),
  };
}

async function send(settings: MssanteSettings, input: SendingInput, job: Job): Promise<void> {
  const { context } = input;
  const payload = job.payload as Payload;
  const stored = await context.store.read('Communication', job.key, everything);
  const isWanted = stored !== undefined && !stored.isDeleted && statusOf(stored.raw) === 'preparation';
  if (!isWanted) return finish(input, job, undefined);
  // Whoever took it before has told nothing of it: he may have been killed with the mail sent.
  if (job.attempts > 1) return waitForReport(input, job);
  const outcome = await attempt(settings, context, job.key, payload);
  switch (outcome.kind) {
    case 'unreachable':
    case 'uncertain': {
      const failures = payload.failures + 1;
      const failure = {
        failures,
        failingSinceMs: payload.askedAtMs,
        nowMs: context.clock.now(),
        retryAfterMs: undefined,
      };
      const waitMs = waitAfter({ ...failure, random: input.random() });
      if (waitMs === undefined) return finish(input, job, { kind: 'given-up' });
      const runAtMs = context.clock.now() + (outcome.kind === 'uncertain' ? Math.max(uncertainWaitMs, waitMs) : waitMs);
      return context.store.transaction((_session, tx) =>
        finishJob(tx, job, input.holder, { runAtMs, payload: { ...payload, failures } }),
      );
    }
    default:
      return finish(input, job, outcome);
  }
}

/** Taken once more after that it counts as taken first, and is sent unless a report has come. */
function waitForReport({ context, holder }: SendingInput, job: Job): Promise<void> {
  const runAtMs = context.clock.now() + uncertainWaitMs;
  return context.store.transaction((_session, tx) => finishJob(tx, job, holder, { runAtMs }));
}

const statusOf = (raw: string): string | undefined => (JSON.parse(raw) as Communication).status;

async function attempt(
  settings: MssanteSettings,
  context: Context,
  id: string,
  payload: Payload,
): Promise<Sent | { readonly kind: 'unreachable' | 'uncertain' }> {
  const { smtp } = settings;
  // Without a server the mail waits for one, as for one that does not answer.
  if (smtp === undefined) return { kind: 'unreachable' };
  const written = await composeOrReason(settings, context, id, payload);
  if (typeof written === 'string') return { kind: 'impossible', reason: written };
  const messageId = messageIdOf(id, smtp).slice(1, -1);
  return smtp.sendWritten({ to: payload.mailbox, messageId, bytes: written });
}

/** What was right when it was asked for may have gone since: the document deleted, its patient changed. */
async function composeOrReason(
  settings: MssanteSettings,
  context: Context,
  id: string,
  payload: Payload,
): Promise<Buffer | string> {
  return compose(settings, context, id, payload).catch((error: unknown) => {
    if (error instanceof Problem && error.category !== 'unavailable') return 'le document ne peut plus être envoyé';
    throw error;
  });
}

/** The Communication and the end of the job in one transaction. */
function finish({ context, holder }: SendingInput, job: Job, sent: Sent | undefined): Promise<void> {
  return context.store.transaction(async (session, tx) => {
    if (sent !== undefined) {
      await session.lockResources([`Communication/${job.key}`]);
      const stored = await session.read('Communication', job.key, everything);
      if (stored !== undefined && !stored.isDeleted) {
        const at = formatInstant(context.clock.now());
        const resource = afterSending(JSON.parse(stored.raw) as Communication, sent, at) as unknown as Resource;
        await writeGuarded(
          context,
          session,
          [{ method: 'PUT', type: 'Communication', id: job.key, resource }],
          onItsOwn,
        );
      }
    }
    await finishJob(tx, job, holder);
  });
}
