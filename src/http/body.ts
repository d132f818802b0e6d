/**
 * The bytes of a body, as they come in and as they are unpacked: no more than one body may have, and no more than there is room for
 * all bodies together. What is refused is refused at the first byte too many. The body is one run of bytes in the end: where the
 * client says its length, they go at once where they stay, since parts first and the whole afterwards would hold a scanned letter twice.
 */
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../base/index.ts';
import type { Gate } from './gate.ts';

export function registerBodies(server: FastifyInstance, gate: Gate): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (request: FastifyRequest, payload: Payload) => {
    const told = request.headers['content-length'];
    const bytesMax = request.routeOptions.bodyLimit;
    return readBody(payload, {
      told: told === undefined ? undefined : Number(told),
      bytesMax,
      hold: (bytes) => gate.hold(request, bytes),
    });
  });
}

/** Unpacked by whoever stands before: then it tells how many bytes came. */
type Payload = Readable & { readonly receivedEncodedLength?: number };

export interface BodyLimits {
  /** Content-Length; undefined: not told. */
  readonly told: number | undefined;
  readonly bytesMax: number;
  /** Throws where there is no room for so many bytes more. */
  readonly hold: (bytes: number) => void;
}

/** Rejects with a Problem where the body is too long, not of its length, or has no room; the request can still be answered then. */
export function readBody(payload: Payload, { told, bytesMax, hold }: BodyLimits): Promise<Buffer> {
  if (told !== undefined && told > bytesMax) return Promise.reject(tooLong());
  const isPacked = payload.receivedEncodedLength !== undefined;
  const body = createCollector(isPacked ? undefined : told);
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      payload.off('data', take).off('end', end).off('error', fail);
      payload.on('error', () => undefined);
      reject(error);
    };
    const fail = (error: Error & { readonly code?: string }): void =>
      refuse(
        error.code === 'ECONNRESET'
          ? new Problem('incorrect', 'the connection ended before the body did')
          : asClientError(error),
      );
    const take = (part: Buffer): void => {
      const { receivedEncodedLength = 0 } = payload;
      if (body.length() + part.length > bytesMax || receivedEncodedLength > bytesMax) return refuse(tooLong());
      try {
        hold(part.length);
      } catch (error) {
        return refuse(error as Problem);
      }
      body.add(part);
    };
    const end = (): void => {
      const came = payload.receivedEncodedLength ?? body.length();
      if (told !== undefined && came !== told)
        refuse(new Problem('incorrect', 'Content-Length does not match the body'));
      else resolve(body.whole());
    };
    payload.on('data', take).on('end', end).on('error', fail).resume();
  });
}

/** As Fastify has it: a body that breaks off or cannot be unpacked is the client's fault. */
function asClientError(error: Error & { statusCode?: number }): Error {
  return Object.assign(error, { statusCode: Math.max(error.statusCode ?? 0, 400) });
}

function tooLong(): Problem {
  return new Problem('body-too-long', 'the body is larger than this server takes');
}

/** The place for all is made when an eighth is there: whoever only tells a length costs nothing. */
const share = 8;

function createCollector(told: number | undefined) {
  let parts: Buffer[] = [];
  let whole: Buffer | undefined;
  let length = 0;
  const put = (part: Buffer): void => {
    if (whole === undefined) parts.push(part);
    else part.copy(whole, length);
    length += part.length;
  };
  return {
    length: () => length,
    add(part: Buffer): void {
      if (whole === undefined && told !== undefined && (length + part.length) * share >= told) {
        const before = parts;
        whole = Buffer.allocUnsafeSlow(told);
        [length, parts] = [0, []];
        before.forEach(put);
      }
      put(part);
    },
    /** All of it; only when as much has come as was told. */
    whole: (): Buffer => whole ?? Buffer.concat(parts, length),
  };
}
