/** An interaction's answer as an HTTP response. */
import type { FastifyReply } from 'fastify';
import type { Answer } from '../interactions/index.ts';

export const fhirJson = 'application/fhir+json; charset=utf-8';

export function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  void reply.code(answer.status);
  if (answer.version !== undefined) void reply.header('etag', `W/"${answer.version}"`);
  if (answer.lastModified !== undefined) void reply.header('last-modified', answer.lastModified.toUTCString());
  if (answer.location !== undefined) void reply.header('location', answer.location);
  if (answer.bytes !== undefined) {
    // Whatever somebody has stored: saved, never shown as a page of this server.
    void reply.header('content-disposition', 'attachment');
    return reply.header('content-type', answer.bytes.contentType).send(answer.bytes.content);
  }
  if (answer.body === undefined) return reply.send();
  return reply.header('content-type', fhirJson).send(answer.body);
}
