/** An interaction's answer as an HTTP response, in the form that the client asked for. */
import type { FastifyReply } from 'fastify';
import { jsonLimits } from '../base/index.ts';
import { type Definitions, parseJson, prettyJson, writeFhirXml } from '../fhir/index.ts';
import type { Answer } from '../interactions/index.ts';
import { contentTypeOf, type Form } from './formats.ts';
import { speak } from './french.ts';

export const fhirJson = contentTypeOf('json');

/** An answer puts resources of any depth that is taken into Bundles of its own. */
const answerLimits = { ...jsonLimits, depthMax: jsonLimits.depthMax + 10, valuesMax: Number.POSITIVE_INFINITY };

export function sendAnswer(
  reply: FastifyReply,
  answer: Answer,
  { form, definitions }: { readonly form: Form; readonly definitions: Definitions },
): FastifyReply {
  void reply.code(answer.status);
  if (answer.version !== undefined) void reply.header('etag', `W/"${answer.version}"`);
  if (answer.lastModified !== undefined) void reply.header('last-modified', answer.lastModified.toUTCString());
  if (answer.location !== undefined) void reply.header('location', answer.location);
  if (answer.headers !== undefined) void reply.headers(answer.headers);
  if (answer.bytes !== undefined) {
    // Whatever somebody has stored: saved, never shown as a page of this server.
    void reply.header('content-disposition', 'attachment');
    return reply.header('content-type', answer.bytes.contentType).send(answer.bytes.content);
  }
  if (answer.body === undefined) return reply.send();
  if (form.language === 'fr') void reply.header('content-language', 'fr');
  return reply
    .header('content-type', contentTypeOf(form.format ?? 'json'))
    .send(render(answer.body, form, definitions));
}

/** Stored JSON goes out as it is; anything else costs a parse. */
export function render(body: string, { format, isPretty, language }: Form, definitions: Definitions): string {
  const isTold = language !== undefined && body.includes('"resourceType":"OperationOutcome"');
  const text = isTold ? speak(language, body) : body;
  if (format === 'xml') return writeFhirXml(parseJson(text, answerLimits), definitions, { isPretty });
  return isPretty ? prettyJson(text) : text;
}
