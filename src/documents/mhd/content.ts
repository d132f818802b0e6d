/** Hash and size of a document that comes with a submission (ITI-65 section 4.1.2.1): both are of the bytes behind the base64. */
import type { Attachment } from 'fhir/r4.js';
import type { Issue } from '../../base/index.ts';
import { hashSpellings } from '../../fhir/index.ts';
import { fault } from './requirements.ts';

/** Assembled later: no bytes yet, said by the size 0 and the hash of nothing. */
export function isDelayed({ size, hash = '' }: Attachment): boolean {
  const [base64, ofHex] = hashSpellings(new Uint8Array());
  return size === 0 && (hash === base64 || hash === ofHex);
}

export function contentFaults(attachment: Attachment, bytes: Uint8Array, expression: string): readonly Issue[] {
  const { size, hash } = attachment;
  const faults: Issue[] = [];
  if (size !== undefined && size !== bytes.length) {
    faults.push(fault(`${expression}.size`, 'the size is not that of the document', 'value'));
  }
  if (hash !== undefined && !hashSpellings(bytes).includes(hash)) {
    faults.push(fault(`${expression}.hash`, 'the hash is not the SHA-1 of the document', 'value'));
  }
  return faults;
}

/** With size and hash where the sender gave none: the recipient's to complete. */
export function completed<T extends Attachment>(attachment: T, bytes: Uint8Array): T {
  const { size = bytes.length, hash = hashSpellings(bytes)[0] } = attachment;
  return { ...attachment, size, hash };
}
