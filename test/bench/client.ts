/** Single requests, for loading and checking: what is measured goes through measure.ts. */
import type { Resource } from '../../src/fhir/resource.ts';
import type { HttpRequest } from './measure.ts';

const timeoutMs = 120_000;
const settleCallsMax = 60;
const settlePauseMs = 200;

export interface Bundle {
  readonly total?: number;
  readonly link?: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly { readonly resource?: Resource; readonly search?: { readonly mode?: string } }[];
}

export async function send(origin: string, { method, path, headers, body }: HttpRequest): Promise<Response> {
  const init = { method, headers: { ...headers }, signal: AbortSignal.timeout(timeoutMs) };
  return fetch(new URL(path, origin), body === undefined ? init : { ...init, body });
}

/** Throws with the begin of the answer when it is not 2xx: the data is invented, so nothing of anybody is shown. */
export async function sendOrFail(origin: string, request: HttpRequest): Promise<string> {
  const response = await send(origin, request);
  const text = await response.text();
  if (response.ok) return text;
  throw new Error(`${request.method} ${request.path} answered ${response.status}: ${text.slice(0, 600)}`);
}

/** Waits until all judgments and deliveries are done; answers the ms it took, or undefined where there is no such thing. */
export async function settle(origin: string): Promise<number | undefined> {
  const started = performance.now();
  for (let call = 0; call < settleCallsMax; call++) {
    const response = await send(origin, { method: 'POST', path: '/admin/settle' });
    await response.arrayBuffer();
    const { status } = response;
    if (status === 200) return performance.now() - started;
    if (status !== 503) return undefined;
    await new Promise((resume) => setTimeout(resume, settlePauseMs));
  }
  throw new Error('the server did not come to rest');
}

export const fhirJson = { 'content-type': 'application/fhir+json' };

export function put(basePath: string, resource: Resource): HttpRequest {
  const path = `${basePath}/${resource.resourceType}/${resource.id ?? ''}`;
  return { method: 'PUT', path, headers: fhirJson, body: JSON.stringify(resource) };
}

export function transaction(basePath: string, resources: readonly Resource[], method: 'PUT' | 'POST'): HttpRequest {
  return { method: 'POST', path: basePath, headers: fhirJson, body: transactionText(resources, method) };
}

/** POST: new resources that refer to each other by the fullUrl of their entries. */
function transactionText(resources: readonly Resource[], method: 'PUT' | 'POST'): string {
  if (method === 'PUT') {
    const entry = resources.map((resource) => ({
      resource,
      request: { method, url: `${resource.resourceType}/${resource.id ?? ''}` },
    }));
    return JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
  }
  const urls = new Map<string, string>();
  const entry = resources.map(({ id, ...resource }) => {
    const fullUrl = `urn:uuid:${crypto.randomUUID()}`;
    if (id !== undefined) urls.set(`${resource.resourceType}/${id}`, fullUrl);
    return { fullUrl, resource, request: { method, url: resource.resourceType } };
  });
  const text = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
  return text.replace(/"reference":"([^"]+)"/g, (whole, target: string) => {
    const url = urls.get(target);
    return url === undefined ? whole : `"reference":"${url}"`;
  });
}
