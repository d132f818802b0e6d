/**
 * Simplified Publish (ITI-105): a DocumentReference with its document inside becomes document, fiche and submission set, as if it had
 * been submitted by ITI-65; and the operation $generate-metadata (ITI-106) for a FHIR document.
 */
import { formatInstant } from '../base/index.ts';
import { oidOfUuid, submissionOf, submissionOfDocument, uuidOf } from '../documents/index.ts';
import { parseJson, type Resource } from '../fhir/index.ts';
import type { Answer, Context, Request } from './context.ts';
import { readStored } from './read.ts';
import { transact } from './transaction.ts';
import { requireResource } from './valid.ts';

/** Answers the DocumentReference as it was made; one that is here already with the same bytes is answered again (200). */
export async function publishSimplified(
  context: Context,
  request: Request,
  { resource, flavour }: { readonly resource: Resource; readonly flavour: 'mhd' | 'pdsm' },
): Promise<Answer> {
  return publishBundle(context, request, submissionOf(resource, flavour, setting(context)));
}

/** A FHIR document Bundle, valid -> its DocumentReference. */
export function publishDocument(context: Context, request: Request, document: Resource): Promise<Answer> {
  return publishBundle(context, request, submissionOfDocument(document, setting(context)));
}

function setting({ baseUrl, clock }: Context): { readonly sourceId: string; readonly at: string } {
  return { sourceId: `urn:oid:${oidOfUuid(uuidOf(`source ${baseUrl}`))}`, at: formatInstant(clock.now()) };
}

async function publishBundle(context: Context, request: Request, made: Resource): Promise<Answer> {
  const bundle = await requireResource(context, 'Bundle', made);
  const { body = '{}' } = await transact(context, { ...request, returnPreference: 'minimal' }, { bundle, routes: [] });
  const { entry = [] } = parseJson(body) as {
    entry?: readonly { response?: { status?: string; location?: string } }[];
  };
  const { status, location = '' } = entry[0]?.response ?? {};
  const [, id] = /DocumentReference\/([^/]+)/.exec(location) ?? [];
  const stored = await readStored(context, { type: 'DocumentReference', id: id ?? '', visible: request.visible });
  const { raw, version, lastUpdated: lastModified } = stored;
  return {
    status: Number(status ?? 200),
    location,
    version,
    lastModified,
    ...(request.returnPreference === 'minimal' ? {} : { body: raw }),
  };
}
