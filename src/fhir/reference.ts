/**
 * What a literal reference says (https://hl7.org/fhir/R4/references.html): a resource of this server, of another one, a
 * resource known only within a bundle (`urn:`), a contained one, or one to be found by a search.
 */
export type ParsedReference =
  | { readonly kind: 'local'; readonly type: string; readonly id: string; readonly version?: string }
  /** `type` and `id` when the URL ends like a RESTful one. `url` is without the version. */
  | {
      readonly kind: 'remote';
      readonly url: string;
      readonly type?: string;
      readonly id?: string;
      readonly version?: string;
    }
  | { readonly kind: 'urn'; readonly urn: string }
  | { readonly kind: 'fragment'; readonly id: string }
  | { readonly kind: 'conditional'; readonly type: string; readonly query: string }
  | { readonly kind: 'unknown' };

export type ReferenceReader = (text: string) => ParsedReference;

const restful = /^([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9.-]{1,64})(?:\/_history\/([A-Za-z0-9.-]{1,64}))?$/;
const conditional = /^([A-Z][A-Za-z]{1,63})\?(.+)$/s;
const restfulEnd = /^(.*\/([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9.-]{1,64}))(?:\/_history\/([A-Za-z0-9.-]{1,64}))?$/;

/** `baseUrl` without trailing slash. A URL below it is local, by http as by https: it is the same server. */
export function createReferenceReader(baseUrl: string): ReferenceReader {
  const base = `${withoutScheme(baseUrl)}/`;
  return (text) => {
    if (text.startsWith('#')) return { kind: 'fragment', id: text.slice(1) };
    if (text.startsWith('urn:')) return { kind: 'urn', urn: text };
    if (!/^https?:\/\//.test(text)) return readRelative(text);
    const rest = withoutScheme(text);
    if (!rest.startsWith(base)) return readRemote(text);
    const local = readRelative(rest.slice(base.length));
    return local.kind === 'unknown' ? readRemote(text) : local;
  };
}

function readRelative(text: string): ParsedReference {
  const found = restful.exec(text);
  if (found !== null) {
    const [, type = '', id = '', version] = found;
    return version === undefined ? { kind: 'local', type, id } : { kind: 'local', type, id, version };
  }
  const [, type, query] = conditional.exec(text) ?? [];
  return type === undefined || query === undefined ? { kind: 'unknown' } : { kind: 'conditional', type, query };
}

function readRemote(text: string): ParsedReference {
  const found = restfulEnd.exec(text);
  if (found === null) return { kind: 'remote', url: text };
  const [, url = '', type = '', id = '', version] = found;
  return version === undefined ? { kind: 'remote', url, type, id } : { kind: 'remote', url, type, id, version };
}

function withoutScheme(url: string): string {
  return url.replace(/^https?:\/\//, '');
}
