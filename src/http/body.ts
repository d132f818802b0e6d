/**
 * A body as one run of bytes. Where the client says its length, the bytes go at once where they stay: parts first and the
 * whole afterwards would hold a scanned letter twice.
 */
import type { Readable } from 'node:stream';
import { errorCodes } from 'fastify';

/** The request, or what unpacks it. */
type Payload = Readable & { readonly receivedEncodedLength?: number };

export interface BodyLimits {
  /** Content-Length; undefined: not said. */
  readonly said: number | undefined;
  readonly bytesMax: number;
}

/** Rejects with what Fastify says of bodies that are too long or not of their length; the request can still be answered then. */
export function readBody(payload: Payload, { said, bytesMax }: BodyLimits): Promise<Buffer> {
  if (said !== undefined && said > bytesMax) return Promise.reject(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
  const isPacked = payload.receivedEncodedLength !== undefined;
  const body = createCollector(isPacked ? undefined : said);
  return new Promise((resolve, reject) => {
    const end = (error?: Error): void => {
      payload.off('data', take).off('end', end).off('error', end);
      const received = payload.receivedEncodedLength ?? body.length();
      if (error !== undefined) reject(asClientError(error));
      else if (said !== undefined && received !== said) reject(new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH());
      else resolve(body.whole());
    };
    const take = (part: Buffer): void => {
      const { receivedEncodedLength = 0 } = payload;
      if (body.length() + part.length <= bytesMax && receivedEncodedLength <= bytesMax) return body.add(part);
      payload.off('data', take).off('end', end).off('error', end);
      reject(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
    };
    payload.on('data', take).on('end', end).on('error', end).resume();
  });
}

/** As Fastify has it: a body that breaks off or cannot be unpacked is the client's fault. */
function asClientError(error: Error & { statusCode?: number }): Error {
  return Object.assign(error, { statusCode: Math.max(error.statusCode ?? 0, 400) });
}

/** The place for all is made when an eighth is there: whoever only says a length costs nothing. */
const share = 8;

function createCollector(said: number | undefined) {
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
      if (whole === undefined && said !== undefined && (length + part.length) * share >= said) {
        const before = parts;
        whole = Buffer.allocUnsafeSlow(said);
        [length, parts] = [0, []];
        before.forEach(put);
      }
      put(part);
    },
    /** All of it; only when as much has come as was said. */
    whole: (): Buffer => whole ?? Buffer.concat(parts, length),
  };
}
