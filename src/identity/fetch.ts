/** Calls to the configured URLs of issuers: no redirect is followed, little is read, nobody is waited for long. */
export const fetchLimits = { bytesMax: 256 * 1024, timeoutMs: 5000 } as const;

export interface Fetched {
  readonly status: number;
  readonly text: string;
}

/** Throws when nothing comes, in time, in size; a redirect is an answer like any other. */
export async function fetchBounded(url: string, init: RequestInit = {}): Promise<Fetched> {
  const timeout = AbortSignal.timeout(fetchLimits.timeoutMs);
  const signal = init.signal ? AbortSignal.any([timeout, init.signal]) : timeout;
  const answer = await fetch(url, { ...init, redirect: 'manual', signal });
  return { status: answer.status, text: await readBounded(answer) };
}

async function readBounded({ body }: Response): Promise<string> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > fetchLimits.bytesMax) throw new Error(`an issuer answered more than ${fetchLimits.bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
