/**
 * A Provide Document Bundle (ITI-65) judged as a whole, before anything is stored (pure): one submission set, only such entries as
 * the profile names, documents that are in the Bundle with their true hash and size, one patient. What the standard leaves to
 * the recipient is completed: missing hash and size.
 */
import type { Attachment, DocumentReference } from 'fhir/r4.js';
import type { Issue } from '../../base/index.ts';
import type { Resource } from '../../fhir/index.ts';
import { completed, contentFaults, isDelayed } from './content.ts';
import type { Flavour } from './profiles.ts';
import { fault, faultsOfDocument, faultsOfFolder, faultsOfSubmissionSet, listKind } from './requirements.ts';

export interface SubmissionEntry {
  readonly fullUrl?: string;
  readonly resource?: Resource;
  readonly request?: { readonly method?: string; readonly url?: string; readonly ifNoneExist?: string };
}

export interface Submission {
  readonly entries: readonly SubmissionEntry[];
  readonly faults: readonly Issue[];
}

export function readSubmission(bundle: Resource, flavour: Flavour): Submission {
  const entries = (bundle['entry'] ?? []) as readonly SubmissionEntry[];
  const faults = entries.flatMap((entry, at) => faultsOfEntry(entry, flavour, `Bundle.entry[${at}]`));
  const sets = entries.filter(({ resource }) => resource !== undefined && isSubmissionSet(resource));
  if (sets.length !== 1)
    faults.push(fault('Bundle.entry', `a submission has one submission set, found ${sets.length}`, 'structure'));
  if (flavour === 'pdsm' && documentsOf(entries).length === 0) {
    faults.push(fault('Bundle.entry', 'a submission of PDSm has a DocumentReference', 'required'));
  }
  const patients = new Set(entries.flatMap(({ resource }) => submittedSubject(resource) ?? []));
  if (patients.size > 1)
    faults.push(fault('Bundle.entry', 'a submission is about one patient, found several', 'conflict'));
  const contents = entries.map((entry, at) => readContent(entry, entries, `Bundle.entry[${at}].resource`));
  return {
    entries: contents.map(({ entry }) => entry),
    faults: [...faults, ...contents.flatMap((one) => one.faults)],
  };
}

export function documentsOf(
  entries: readonly SubmissionEntry[],
): readonly (SubmissionEntry & { resource: Resource })[] {
  return entries.filter(
    (entry): entry is SubmissionEntry & { resource: Resource } => entry.resource?.resourceType === 'DocumentReference',
  );
}

export function isSubmissionSet(resource: Resource): boolean {
  return resource.resourceType === 'List' && listKind(resource) === 'submissionset';
}

/** The patient of a fiche or list, by the text of the reference or identifier. */
export function submittedSubject(resource: Resource | undefined): string | undefined {
  if (resource?.resourceType !== 'DocumentReference' && resource?.resourceType !== 'List') return undefined;
  const { subject } = resource as unknown as DocumentReference;
  const { reference, identifier } = subject ?? {};
  return reference ?? (identifier === undefined ? undefined : `${identifier.system}|${identifier.value}`);
}

/** What may stand in a submission, and how it is to be sent (closed slices of the profile). */
function faultsOfEntry({ resource, request }: SubmissionEntry, flavour: Flavour, place: string): Issue[] {
  const method = request?.method ?? '';
  const at = `${place}.resource`;
  const expects = (methods: readonly string[], faults: readonly Issue[]): Issue[] =>
    methods.includes(method)
      ? [...faults]
      : [
          ...faults,
          fault(`${place}.request.method`, `this entry of a submission is sent by ${methods.join(' or ')}`, 'value'),
        ];
  switch (resource?.resourceType) {
    case 'DocumentReference':
      return expects(['POST'], faultsOfDocument(resource, flavour, at));
    case 'List':
      if (listKind(resource) === 'submissionset')
        return expects(['POST'], faultsOfSubmissionSet(resource, flavour, at));
      if (listKind(resource) === 'folder') return expects(['POST', 'PUT'], faultsOfFolder(resource, flavour, at));
      return [fault(`${at}.code`, 'a List of a submission is a submission set or a folder', 'value')];
    case 'Binary':
      return expects(['POST', 'PUT'], []);
    case 'Bundle':
      return expects(
        ['POST'],
        resource['type'] === 'document'
          ? []
          : [fault(`${at}.type`, 'a Bundle as a document has the type document', 'value')],
      );
    case 'Parameters':
      return expects(['PATCH'], faultsOfPatch(resource, at));
    case 'Patient':
      return expects(['POST', 'PUT'], []);
    default:
      return [fault(place, 'a submission has no entry of this kind', 'structure')];
  }
}

/** IHE.MHD.Patch.Parameters: the one change is DocumentReference.status to superseded. */
function faultsOfPatch(resource: Resource, at: string): readonly Issue[] {
  const { parameter = [] } = resource as { parameter?: readonly { part?: readonly Record<string, unknown>[] }[] };
  const said = parameter.map(({ part = [] }) =>
    part
      .map(({ name, ...value }) => `${String(name)}=${String(Object.values(value)[0])}`)
      .sort()
      .join(' '),
  );
  const isRight = said.length === 1 && said[0] === 'path=DocumentReference.status type=replace value=superseded';
  return isRight
    ? []
    : [fault(at, 'a patch of a submission sets DocumentReference.status to superseded, and nothing else')];
}

interface Content {
  readonly entry: SubmissionEntry;
  readonly faults: readonly Issue[];
}

/** The document of a fiche: in this Bundle as Binary or FHIR document, elsewhere, or still to be made. */
function readContent(entry: SubmissionEntry, entries: readonly SubmissionEntry[], place: string): Content {
  if (entry.resource?.resourceType !== 'DocumentReference') return { entry, faults: [] };
  const { content } = entry.resource as unknown as DocumentReference;
  const attachment = content?.[0]?.attachment ?? {};
  const at = `${place}.content[0].attachment`;
  const found = entries.find(({ fullUrl }) => fullUrl !== undefined && fullUrl === attachment.url)?.resource;
  if (found?.resourceType === 'Binary') {
    const bytes = Buffer.from(typeof found['data'] === 'string' ? found['data'] : '', 'base64');
    return { entry: withAttachment(entry, completed(attachment, bytes)), faults: contentFaults(attachment, bytes, at) };
  }
  return {
    entry,
    faults: found?.resourceType === 'Bundle' ? measureFaults(attachment, at) : placeFaults(attachment, at),
  };
}

function measureFaults({ hash, size }: Attachment, at: string): readonly Issue[] {
  const hasMeasure = hash !== undefined || size !== undefined;
  return hasMeasure ? [fault(at, 'a FHIR document has neither hash nor size: its bytes may change')] : [];
}

/** What is neither here nor elsewhere nor to be made later is missing. */
function placeFaults(attachment: Attachment, at: string): readonly Issue[] {
  const { url = '' } = attachment;
  const isNamed = url.startsWith('urn:') || /^(?:Binary|Bundle)\//.test(url);
  return isNamed && !isDelayed(attachment)
    ? [fault(`${at}.url`, 'the document is not in the Bundle', 'not-found')]
    : [];
}

function withAttachment(entry: SubmissionEntry, attachment: Attachment): SubmissionEntry {
  const resource = entry.resource as unknown as DocumentReference;
  const [first, ...others] = resource.content;
  const content = [{ ...first, attachment }, ...others];
  return { ...entry, resource: { ...resource, content } as unknown as Resource };
}
