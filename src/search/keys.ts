/**
 * Index keys: a text that says type, path, form and value, hashed to 64 bits.
 *
 * The hash is the begin of SHA-256, because nobody may find a second text with the key of a first one: two patients
 * whose identifiers met in one key would be taken for one. The texts are unambiguous for the same reason: a part that
 * may hold anything comes last, or has its length before it.
 *
 *     c path \n length \n system code   a code or identifier with its system        (driver)
 *     a path \n code                    a code or identifier, whatever its system   (driver)
 *     n path \n code                    one without system                          (probe)
 *     s path \n system                  any code of a system                        (probe)
 *     r path \n Type/id                 a reference to a resource of this server    (driver)
 *     v path \n Type/id/_history/n      a reference to one version                  (probe)
 *     u path \n url                     a URI, or a reference to elsewhere          (driver)
 *     e path \n text                    a string as it was written                  (probe)
 *     p category path                   a value is present                          (probe)
 *     o path \n length \n system length \n code value   an identifier with its type (probe)
 *     y path type                       a value of one type of a choice is present
 *     d path, t path                    which rows of the date and string index  (all these: probe)
 *     q path [\n length \n system code] which rows of the number index; with the unit of a quantity, `=` and base units for UCUM
 *     l path, b path, g path            rows without probe: texts of codes, URIs by their begin, positions
 *     x path \n key,key                 values of a composite parameter that stand together, by their own keys
 *
 * A *driver* has a row in token_index; a *probe* stands only in the resource's own key list. A row costs the database
 * about as much as everything else of a key together, so what is never asked for alone is a probe.
 */
import { hash } from 'node:crypto';

export type KeyHash = (text: string) => bigint;

const keysKeptMax = 30_000;

/** Keys come back often (codes, patients), and hashing costs more than looking up: two generations are kept. */
export function createKeyHash(): KeyHash {
  const first64Bits = createFirst64Bits();
  let young = new Map<string, bigint>();
  let old = new Map<string, bigint>();
  return (text) => {
    const known = young.get(text);
    if (known !== undefined) return known;
    const key = old.get(text) ?? first64Bits(hash('sha256', text, 'binary'));
    if (young.size >= keysKeptMax) {
      old = young;
      young = new Map();
    }
    young.set(text, key);
    return key;
  };
}

/** A digest as a string of bytes is three times as fast as one in a Buffer. */
function createFirst64Bits(): (bytes: string) => bigint {
  const view = new DataView(new ArrayBuffer(8));
  return (bytes) => {
    for (let place = 0; place < 8; place++) view.setUint8(place, bytes.charCodeAt(place));
    return view.getBigInt64(0);
  };
}

export const keyText = {
  systemCode: (path: string, system: string, code: string) => `c${path}\n${system.length}\n${system}${code}`,
  anyCode: (path: string, code: string) => `a${path}\n${code}`,
  noSystem: (path: string, code: string) => `n${path}\n${code}`,
  system: (path: string, system: string) => `s${path}\n${system}`,
  /** Followed by `Type/id`, which SQL appends too when it follows references. */
  referencePrefix: (path: string) => `r${path}\n`,
  versioned: (path: string, reference: string) => `v${path}\n${reference}`,
  url: (path: string, url: string) => `u${path}\n${url}`,
  exact: (path: string, text: string) => `e${path}\n${text}`,
  present: (category: string, path: string) => `p${category} ${path}`,
  dates: (path: string) => `d${path}`,
  strings: (path: string) => `t${path}`,
  numbers: (path: string) => `q${path}`,
  ofType: (path: string, type: { readonly system: string; readonly code: string }, value: string) =>
    `o${path}\n${type.system.length}\n${type.system}${type.code.length}\n${type.code}${value}`,
  typed: (path: string, type: string) => `y${path} ${type}`,
  labels: (path: string) => `l${path}`,
  uris: (path: string) => `b${path}`,
  positions: (path: string) => `g${path}`,
  tuple: (path: string, keys: readonly bigint[]) => `x${path}\n${keys.join(',')}`,
  quantities: (path: string, system: string, code: string) => `q${path}\n${system.length}\n${system}${code}`,
} as const;
