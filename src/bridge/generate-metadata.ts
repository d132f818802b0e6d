/**
 * DocumentReference/$generate-metadata (IHE MHD ITI-106): a document alone becomes fiche, submission set and document. A FHIR
 * document says what is needed in its Composition. A CDA goes the way of every letter ($ingest); a Binary of another kind says
 * nothing about itself and is refused.
 */
import { Problem } from '../base/index.ts';
import { generateMetadata } from '../documents/index.ts';
import type { Resource } from '../fhir/index.ts';
import { type Answer, type Context, type Operation, publishDocument, type Request } from '../interactions/index.ts';

/** How bytes of a letter are taken: the operation $ingest. */
export function generateMetadataOperation(ingest: Operation): Operation {
  return {
    name: 'generate-metadata',
    type: 'DocumentReference',
    level: 'type',
    methods: ['POST'],
    takesBytes: false,
    documentation: 'Makes the DocumentReference of a document: a Binary with a CDA, or a FHIR document Bundle.',
    definition: generateMetadata,
    run: (context, request) => generate(ingest, context, request),
  };
}

async function generate(ingest: Operation, context: Context, request: Request): Promise<Answer> {
  const document = readDocument(request.body);
  const made =
    document.resourceType === 'Bundle'
      ? await publishDocument(context, request, document)
      : await ingest.run(context, { ...request, content: contentOf(document) });
  const reference = /DocumentReference\/[^/]+/.exec(made.location ?? '')?.[0] ?? '';
  const answer = {
    resourceType: 'Parameters',
    parameter: [{ name: 'DocumentReference', valueReference: { reference } }],
  };
  return { status: 200, body: JSON.stringify(answer) };
}

function readDocument(body: unknown): Resource {
  const { resourceType, parameter } = (body ?? {}) as { resourceType?: unknown; parameter?: unknown };
  const parameters = Array.isArray(parameter) ? (parameter as readonly { name?: unknown; resource?: Resource }[]) : [];
  const [first, ...others] = parameters;
  const isRight = resourceType === 'Parameters' && first?.name === 'document' && others.length === 0;
  const type = first?.resource?.resourceType;
  if (isRight && (type === 'Bundle' || type === 'Binary') && first.resource !== undefined) return first.resource;
  throw new Problem('incorrect', 'expected Parameters with one parameter, document: a Binary or a Bundle');
}

/** The base64 of what claims to be a letter; any other type is refused. */
function contentOf(binary: Resource): { readonly type: string; readonly bytes: Uint8Array } {
  const { contentType = '', data = '' } = binary as { contentType?: string; data?: string };
  if (/^(?:text\/xml|application\/(?:cda\+)?xml)\b/.test(contentType))
    return { type: contentType, bytes: Buffer.from(data, 'base64') };
  throw new Problem('unprocessable', 'no metadata can be made of this content: expected a CDA or a FHIR document');
}
