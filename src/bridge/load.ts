/** A DocumentReference of the record with its bytes and the people it names, ready to leave. */
import type { DocumentReference, PractitionerRole } from 'fhir/r4.js';
import { Problem } from '../base/index.ts';
import { contentFaults, type OutgoingDocument } from '../documents/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';
import { type Context, readStored, type Request } from '../interactions/index.ts';
import type { StoredVersion, Visible } from '../store/index.ts';

type Asked = Pick<Request, 'id' | 'visible'>;

/** Throws `not-found`, `gone`, or `unprocessable` when its bytes are not in this record. */
export async function loadDocument(context: Context, { id = '', visible }: Asked): Promise<OutgoingDocument> {
  const stored = await readStored(context, { type: 'DocumentReference', id, visible });
  const reference = parseJson(stored.raw) as DocumentReference;
  const [bytes, resources] = await Promise.all([
    loadBytes(context, reference, visible),
    loadPeople(context, reference, visible),
  ]);
  return { reference, bytes, resources };
}

async function loadBytes(context: Context, { content }: DocumentReference, visible: Visible): Promise<Buffer> {
  const { data, url = '', ...stated } = content[0]?.attachment ?? {};
  if (data !== undefined) return Buffer.from(data, 'base64');
  const local = url.startsWith(`${context.baseUrl}/`) ? url.slice(context.baseUrl.length + 1) : url;
  const [, type, id] = /^(Binary|Bundle)\/([A-Za-z0-9\-.]{1,64})$/.exec(local) ?? [];
  if (type === undefined || id === undefined) throw elsewhere();
  const stored = await readStored(context, { type, id, visible });
  if (type === 'Bundle') return Buffer.from(stored.raw);
  const { data: text = '' } = JSON.parse(stored.raw) as { data?: string };
  const bytes = Buffer.from(text, 'base64');
  // The Binary may have been changed since; of data that stand inside, validation has seen to it.
  const issues = contentFaults(stated, bytes, 'DocumentReference.content[0].attachment');
  if (issues.length > 0)
    throw new Problem('unprocessable', 'the content of the document is not what its hash and size say', { issues });
  return bytes;
}

function elsewhere(): Problem {
  const text = 'the content of the document is not in this record: its URL leads elsewhere and is not followed';
  const expression = 'DocumentReference.content[0].attachment';
  return new Problem('unprocessable', text, { issues: [{ severity: 'error', code: 'not-found', text, expression }] });
}

/** Authors, authenticator, custodian, patient and what is replaced; then the person and the place of each role. */
async function loadPeople(
  context: Context,
  reference: DocumentReference,
  visible: Visible,
): Promise<ReadonlyMap<string, Resource>> {
  const { subject, author = [], authenticator, custodian, relatesTo = [] } = reference;
  const named = [subject, ...author, authenticator, custodian, ...relatesTo.map(({ target }) => target)];
  const first = await readAll(
    context,
    named.flatMap((one) => one?.reference ?? []),
    visible,
  );
  const roles = [...first.values(), ...((reference.contained ?? []) as unknown as Resource[])].filter(
    ({ resourceType }) => resourceType === 'PractitionerRole',
  ) as unknown as PractitionerRole[];
  const behind = roles.flatMap((role) =>
    [role.practitioner?.reference ?? [], role.organization?.reference ?? []].flat(),
  );
  return new Map([...first, ...(await readAll(context, behind, visible))]);
}

/** What is there of these, by `Type/id`. */
export async function readAll(
  { store }: Context,
  references: readonly string[],
  visible: Visible,
): Promise<ReadonlyMap<string, Resource>> {
  const wanted = [...new Set(references.filter((one) => /^[A-Z]\w+\/[A-Za-z0-9\-.]{1,64}$/.test(one)))];
  const found: readonly StoredVersion[] = wanted.length === 0 ? [] : await store.readMany(wanted, visible);
  return new Map(found.map(({ type, id, raw }) => [`${type}/${id}`, parseJson(raw) as Resource]));
}
