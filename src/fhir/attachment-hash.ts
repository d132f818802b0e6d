/** Attachment.hash (https://hl7.org/fhir/R4/datatypes-definitions.html#Attachment.hash): the SHA-1 of what the attachment holds. */
import { createHash } from 'node:crypto';

/** Base64 of the digest, as it is defined; the examples of IHE have base64 of its hexadecimal text. */
export function hashSpellings(bytes: Uint8Array): readonly [base64: string, ofHex: string] {
  const digest = createHash('sha1').update(bytes).digest();
  return [digest.toString('base64'), Buffer.from(digest.toString('hex')).toString('base64')];
}
