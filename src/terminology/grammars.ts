/** Code systems without a list, whose codes follow a published grammar (https://hl7.org/fhir/R4/terminologies-systems.html). */
export type Grammar = (code: string) => boolean;

const mimeToken = '[A-Za-z0-9!#$&^_.+-]{1,127}';
/** Senders write a slash in values, `variant=XDA/XDS`, without the quotes that RFC 2045 asks for. */
const mimeValue = '[A-Za-z0-9!#$&^_.+/-]{1,127}';
const mimePattern = new RegExp(
  `^${mimeToken}/${mimeToken}(?:[ \\t]*;[ \\t]*${mimeToken}=(?:${mimeValue}|"[^"\\\\\\r\\n]*"))*$`,
);

const grammars: Readonly<Record<string, Grammar>> = {
  // BCP 47: well formed by the structure of RFC 5646; the registry of subtags is not looked at.
  'urn:ietf:bcp:47': isLanguageTag,
  // RFC 6838, with parameters; FHIR has short words for its own formats.
  'urn:ietf:bcp:13': (code) => mimePattern.test(code) || /^(?:xml|json|ttl)$/.test(code),
  'urn:ietf:rfc:3986': (code) => /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(code),
};

export function grammarOf(system: string): Grammar | undefined {
  return Object.hasOwn(grammars, system) ? grammars[system] : undefined;
}

function isLanguageTag(code: string): boolean {
  try {
    return /^x-[A-Za-z0-9-]+$/.test(code) || Intl.getCanonicalLocales(code).length === 1;
  } catch {
    return false;
  }
}
