/** Strings (https://hl7.org/fhir/R4/search.html#string), indexing side: each part of a name or an address is a value. */
import type { Emitter, Place, Sink } from './collector.ts';
import { cutText, foldText } from './fold.ts';
import { keyText } from './keys.ts';

function emitText(value: string, place: Place, out: Sink): void {
  out.probeKey(place.present);
  emitPart(value, place, out);
}

function emitPart(value: unknown, place: Place, out: Sink): void {
  if (typeof value !== 'string') return;
  out.probe(keyText.exact(place.path, value.normalize()));
  const folded = cutText(foldText(value));
  if (folded !== '') out.string(place.row, folded);
}

/** All members that are strings or lists of strings, by name. */
function emitParts(members: readonly string[]): Emitter {
  return (value: Readonly<Record<string, unknown>>, place: Place, out: Sink) => {
    out.probeKey(place.present);
    for (const member of members) {
      const part = value[member];
      if (Array.isArray(part)) for (const one of part) emitPart(one, place, out);
      else emitPart(part, place, out);
    }
  };
}

const textTypes = ['string', 'markdown', 'code', 'uri', 'url', 'canonical', 'id'];

export const stringEmitters: Readonly<Record<string, Emitter>> = {
  ...Object.fromEntries(textTypes.map((type) => [type, emitText])),
  HumanName: emitParts(['text', 'family', 'given', 'prefix', 'suffix']),
  Address: emitParts(['text', 'line', 'city', 'district', 'state', 'postalCode', 'country']),
};

/** One value, one row: only then may two conditions on the parameter be taken as one on its value. */
export function isPlainText(type: string): boolean {
  return textTypes.includes(type);
}
