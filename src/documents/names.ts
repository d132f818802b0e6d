/** Identifiers that follow from other identifiers: the same document sent twice is the same submission. */
import { createHash } from 'node:crypto';
import type { DocumentReference } from 'fhir/r4.js';

/** A UUID from any text (the shape of RFC 9562 version 8, by SHA-256). */
export function uuidOf(text: string): string {
  const hash = createHash('sha256').update(text).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/** The OID that every UUID has (ITU-T X.667: arc 2.25 and the UUID as a whole number). */
export function oidOfUuid(uuid: string): string {
  return `2.25.${BigInt(`0x${uuid.replaceAll('-', '')}`)}`;
}

/** XDS uniqueId: an OID or UUID without `urn:`, or `root^extension`. */
export function uniqueIdOf({ id = '', masterIdentifier }: DocumentReference): string {
  const { system = '', value } = masterIdentifier ?? {};
  if (value === undefined) return oidOfUuid(uuidOf(`DocumentReference/${id}`));
  if (system === 'urn:ietf:rfc:3986' || system === '') return value.replace(/^urn:(?:oid|uuid):/, '');
  return `${system.replace(/^urn:(?:oid|uuid):/, '')}^${value}`;
}

/** `urn:uuid:` of the fiche: the one that it came with, else one made from its id. */
export function entryUuidOf({ id = '', identifier = [] }: DocumentReference): string {
  const given = identifier.find(({ value }) => value?.startsWith('urn:uuid:') === true)?.value;
  return given ?? `urn:uuid:${uuidOf(`entry of DocumentReference/${id}`)}`;
}
