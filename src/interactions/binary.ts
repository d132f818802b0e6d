/** Binary: its content as it is, or as a resource (https://hl7.org/fhir/R4/binary.html#rest). */
import { Problem } from '../base/index.ts';
import { type Answer, type Context, type Request, answerStored } from './context.ts';
import { readStored } from './read.ts';
import { answerWritten, writeOne } from './write.ts';

const fhirTypes: ReadonlySet<string> = new Set(['application/fhir+json', 'application/fhir+xml']);

/** The raw bytes unless a FHIR type is asked for (design.md section 5, decision 8). */
export async function readBinary(context: Context, request: Request): Promise<Answer> {
  const stored = await readStored(context, request);
  const binary = JSON.parse(stored.raw) as { contentType: string; data?: string };
  const wanted = (request.accept ?? '*/*').split(',').map((range) => (range.split(';')[0] ?? '').trim().toLowerCase());
  if (wanted.some((range) => fhirTypes.has(range))) return answerStored(200, stored);
  const base = (binary.contentType.split(';')[0] ?? '').trim().toLowerCase();
  const isServed = wanted.some((range) => range === '*/*' || range === base || range === `${base.split('/')[0]}/*`);
  if (!isServed)
    throw new Problem('not-acceptable', 'Accept names neither the type of the content nor application/fhir+json');
  return {
    status: 200,
    version: stored.version,
    lastModified: stored.lastUpdated,
    bytes: { contentType: binary.contentType, content: Buffer.from(binary.data ?? '', 'base64') },
  };
}

/** Bytes posted as they are become a Binary with their content type. */
export async function createBinary(context: Context, request: Request): Promise<Answer> {
  const { content } = request;
  if (content === undefined) throw new Problem('incorrect', 'the body is empty: a Binary has content');
  const resource = {
    resourceType: 'Binary',
    contentType: content.type,
    data: Buffer.from(content.bytes).toString('base64'),
  };
  const id = context.ids.next(context.clock.now());
  const entry = { method: 'POST' as const, type: 'Binary', id, resource, expectNew: true };
  return answerWritten(context, request, await writeOne(context, entry, request));
}
