/**
 * Provide Document Bundle (ITI-65) before it goes the way of a transaction: judged as a whole (documents/mhd), its patient known here,
 * its documents new or the same as before, what it replaces current and of the same patient. A submission that is here already, the
 * same in every document, is answered as known: a sender who lost the answer asks again.
 */
import type { DocumentReference, Identifier } from 'fhir/r4.js';
import { type Issue, Problem } from '../base/index.ts';
import {
  documentsOf,
  isSubmissionSet,
  readSubmission,
  type SubmissionEntry,
  submissionFlavour,
  submittedSubject,
} from '../documents/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { Session } from '../store/index.ts';
import type { Context, Request } from './context.ts';
import { searchResources } from './search.ts';

export type Provided =
  /** Of the entries, the first `answered` are the sender's. */
  | { readonly kind: 'submission'; readonly bundle: Resource; readonly answered: number }
  | { readonly kind: 'known'; readonly references: readonly string[] };

type Asked = Pick<Request, 'visible'>;

/** undefined: an ordinary transaction. Throws `unprocessable` with every fault, `conflict` for a document id with other bytes. */
export async function readProvided(context: Context, request: Asked, bundle: Resource): Promise<Provided | undefined> {
  const flavour = submissionFlavour(bundle);
  if (flavour === undefined) return undefined;
  const { entries, faults } = readSubmission(bundle, flavour);
  if (faults.length > 0) throw refusal(faults);
  const { store } = context;
  await requirePatient(context, request, entries);
  const known = await findKnown(context, store, request, entries);
  if (known !== undefined) return { kind: 'known', references: known };
  const superseded = await findSuperseded(context, store, request, entries);
  return {
    kind: 'submission',
    bundle: { ...bundle, entry: [...entries.map(onlyOnce), ...superseded] },
    answered: entries.length,
  };
}

function refusal(issues: readonly Issue[]): Problem {
  return new Problem('unprocessable', issues[0]?.text ?? 'the submission is refused', { issues });
}

function refused(text: string, expression: string, code = 'business-rule'): Problem {
  return refusal([{ severity: 'error', code, text, expression }]);
}

/** XDSUnknownPatientId: nothing is fetched from elsewhere. A reference by identifier or criteria is found in the transaction. */
async function requirePatient(
  context: Context,
  { visible }: Asked,
  entries: readonly SubmissionEntry[],
): Promise<void> {
  const at = entries.findIndex(({ resource }) => submittedSubject(resource) !== undefined);
  const subject = (entries[at]?.resource as unknown as DocumentReference | undefined)?.subject?.reference;
  if (subject === undefined || subject.startsWith('Patient?')) return;
  const expression = `Bundle.entry[${at}].resource.subject`;
  if (entries.some(({ fullUrl, resource }) => fullUrl === subject && resource?.resourceType === 'Patient')) return;
  const local = subject.startsWith(`${context.baseUrl}/`) ? subject.slice(context.baseUrl.length + 1) : subject;
  if (!/^Patient\/[A-Za-z0-9\-.]{1,64}$/.test(local)) {
    throw refused('the patient is on another server, which is not asked', expression, 'not-supported');
  }
  const found = await context.store.readMany([local], visible);
  if (found.length === 0) throw refused('the patient of the submission is not known here', expression, 'not-found');
}

/** The places of all entries when each document of the submission is here with the same bytes; undefined: there is something new. */
async function findKnown(
  context: Context,
  session: Session,
  { visible }: Asked,
  entries: readonly SubmissionEntry[],
): Promise<readonly string[] | undefined> {
  const fiches = documentsOf(entries);
  const places = await placesOf(context, session, visible, fiches);
  if (fiches.length === 0 || fiches.some(({ fullUrl = '' }) => !places.has(fullUrl))) return undefined;
  const set = entries.find(isOfSubmissionSet);
  const former = set === undefined ? undefined : await findList(context, session, visible, set.resource);
  if (set === undefined || former === undefined) return undefined;
  places.set(set.fullUrl ?? '', `List/${former.id}`);
  return entries.map(({ fullUrl = '', request }) => places.get(fullUrl) ?? request?.url ?? '');
}

/** By fullUrl: where the documents that are here, with the same bytes, and their bytes stand. */
async function placesOf(
  context: Context,
  session: Session,
  visible: Visible,
  fiches: readonly SubmissionEntry[],
): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  for (const { fullUrl = '', resource } of fiches) {
    const fiche = resource as unknown as DocumentReference;
    const former = await findFiche(context, session, visible, fiche);
    if (former === undefined) continue;
    requireSameBytes(fiche, former);
    places.set(fullUrl, `DocumentReference/${former.id}`);
    places.set(fiche.content[0]?.attachment.url ?? '', former.content[0]?.attachment.url ?? '');
  }
  return places;
}

function isOfSubmissionSet(entry: SubmissionEntry): entry is SubmissionEntry & { readonly resource: Resource } {
  return entry.resource !== undefined && isSubmissionSet(entry.resource);
}

type Visible = Asked['visible'];

async function findFiche(
  context: Context,
  session: Session,
  visible: Visible,
  { masterIdentifier }: DocumentReference,
): Promise<DocumentReference | undefined> {
  const value = tokenOf(masterIdentifier);
  if (value === undefined) return undefined;
  const found = await searchResources(context, session, {
    type: 'DocumentReference',
    parameters: [['identifier', value]],
    visible,
    limit: 5,
  });
  return (found as unknown as DocumentReference[]).find((one) => tokenOf(one.masterIdentifier) === value);
}

async function findList(
  context: Context,
  session: Session,
  visible: Visible,
  list: Resource,
): Promise<Resource | undefined> {
  const { identifier = [] } = list as { identifier?: readonly { system?: string; value?: string }[] };
  const value = tokenOf(identifier[0]);
  if (value === undefined) return undefined;
  return (
    await searchResources(context, session, { type: 'List', parameters: [['identifier', value]], visible, limit: 1 })
  )[0];
}

function tokenOf(identifier: Identifier | undefined): string | undefined {
  if (identifier?.value === undefined) return undefined;
  return `${identifier.system ?? ''}|${identifier.value.replace(/[\\,$|]/g, '\\$&')}`;
}

/** XDSNonIdenticalHash, whichever way the hash is spelt. */
function requireSameBytes(fiche: DocumentReference, former: DocumentReference): void {
  const [one, other] = [fiche, former].map(({ content }) => content[0]?.attachment.hash ?? '');
  const plain = (hash = ''): string => {
    const bytes = Buffer.from(hash, 'base64');
    return bytes.length === 40 ? bytes.toString('latin1') : bytes.toString('hex');
  };
  if (plain(one) === plain(other)) return;
  throw new Problem('conflict', 'a document with this id is here already, with other bytes');
}

/** Two submissions of one document at one time meet on its identifier. */
function onlyOnce(entry: SubmissionEntry): SubmissionEntry {
  const { resource, request } = entry;
  if (resource?.resourceType !== 'DocumentReference' || request === undefined) return entry;
  const { masterIdentifier } = resource as unknown as DocumentReference;
  const { system = '', value = '' } = masterIdentifier ?? {};
  const criteria = new URLSearchParams({ identifier: tokenOf({ system, value }) ?? '' });
  return { ...entry, request: { ...request, ifNoneExist: criteria.toString() } };
}

/** What is replaced must be the latest of its patient; where the sender has no entry that supersedes it, there is one now. */
async function findSuperseded(
  context: Context,
  session: Session,
  { visible }: Asked,
  entries: readonly SubmissionEntry[],
): Promise<readonly SubmissionEntry[]> {
  const added: SubmissionEntry[] = [];
  for (const { resource } of documentsOf(entries)) {
    const fiche = resource as unknown as DocumentReference;
    for (const [at, { code, target }] of (fiche.relatesTo ?? []).entries()) {
      if (code !== 'replaces') continue;
      const former = await findTarget(context, session, visible, target);
      const url = `DocumentReference/${replaceable(fiche, former, `DocumentReference.relatesTo[${at}].target`)}`;
      if (entries.some(({ request }) => request?.method === 'PATCH' && request.url === url)) continue;
      added.push({ resource: superseding, request: { method: 'PATCH', url } });
    }
  }
  return added;
}

/** Id of the document that this one may replace. */
function replaceable(
  { subject }: DocumentReference,
  former: DocumentReference | undefined,
  expression: string,
): string | undefined {
  if (former === undefined) throw refused('the document that is to be replaced is not here', expression, 'not-found');
  const isOther = former.subject?.reference !== subject?.reference && subject?.reference?.startsWith('Patient/');
  if (isOther === true) throw refused('the document that is to be replaced is of another patient', expression);
  if (former.status !== 'current')
    throw refused('the document that is to be replaced is not the latest version', expression);
  return former.id;
}

async function findTarget(
  context: Context,
  session: Session,
  visible: Visible,
  { reference = '', identifier }: NonNullable<DocumentReference['relatesTo']>[number]['target'],
): Promise<DocumentReference | undefined> {
  if (identifier !== undefined && reference === '') {
    return findFiche(context, session, visible, { masterIdentifier: identifier } as DocumentReference);
  }
  const local = reference.startsWith(`${context.baseUrl}/`) ? reference.slice(context.baseUrl.length + 1) : reference;
  if (!local.startsWith('DocumentReference/')) return undefined;
  const [found] = await session.readMany([local], visible);
  return found === undefined ? undefined : (JSON.parse(found.raw) as DocumentReference);
}

const superseding = {
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'operation',
      part: [
        { name: 'type', valueCode: 'replace' },
        { name: 'path', valueString: 'DocumentReference.status' },
        { name: 'value', valueCode: 'superseded' },
      ],
    },
  ],
} as Resource;
