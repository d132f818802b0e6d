/**
 * The bytes of a body, as they come in and as they are unpacked: no more than one body may have, and no more than there is room for
 * all bodies together. What is refused is refused at the first byte too many.
 */
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../base/index.ts';
import type { Gate } from './gate.ts';

export function registerBodies(server: FastifyInstance, gate: Gate): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (request: FastifyRequest, payload: Payload) => readBody(request, payload, gate));
}

/** Unpacked by whoever stands before: then it tells how many bytes came. */
type Payload = Readable & { readonly receivedEncodedLength?: number };

function readBody(request: FastifyRequest, payload: Payload, gate: Gate): Promise<Buffer> {
  const bytesMax = request.routeOptions.bodyLimit;
  const told = Number(request.headers['content-length']);
  if (told > bytesMax) return Promise.reject(tooLong());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const refuse = (error: Error): void => {
      payload.off('data', take).off('end', end).off('error', fail);
      payload.on('error', () => undefined);
      reject(error);
    };
    const fail = (error: Error & { readonly code?: string }): void =>
      refuse(
        error.code === 'ECONNRESET' ? new Problem('incorrect', 'the connection ended before the body did') : error,
      );
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > bytesMax) return refuse(tooLong());
      try {
        gate.hold(request, chunk.length);
      } catch (error) {
        return refuse(error as Problem);
      }
      chunks.push(chunk);
    };
    const end = (): void => {
      const came = payload.receivedEncodedLength ?? length;
      if (!Number.isNaN(told) && came !== told)
        reject(new Problem('incorrect', 'Content-Length does not match the body'));
      else resolve(Buffer.concat(chunks, length));
    };
    payload.on('data', take).on('end', end).on('error', fail).resume();
  });
}

function tooLong(): Problem {
  return new Problem('body-too-long', 'the body is larger than this server takes');
}
