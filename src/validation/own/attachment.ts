/** The size and hash that an attachment states are those of its data (https://hl7.org/fhir/R4/datatypes.html#Attachment). */
import { hashSpellings, isObject } from '../../fhir/index.ts';
import { type Item } from '../profiles/items.ts';
import { addFault, type ProfileJudge } from '../profiles/judge.ts';
import type { Run } from '../profiles/run.ts';
import { ownTexts } from './texts.ts';

export function judgeAttachment(_judge: ProfileJudge, item: Item, run: Run): void {
  if (!isObject(item.value)) return;
  const { size, hash, data } = item.value;
  if (typeof data !== 'string') return;
  if (typeof size === 'number' && bytesOf(data) !== size)
    addFault(run, item, { severity: 'error', code: 'value', ...ownTexts.attachmentSize(size, bytesOf(data)) });
  if (typeof hash === 'string' && !hashSpellings(Buffer.from(data, 'base64')).includes(hash))
    addFault(run, item, { severity: 'error', code: 'value', ...ownTexts.attachmentHash });
}

/** Before it was written as base64. */
function bytesOf(data: string): number {
  const compact = data.replace(/[ \t\r\n]+/g, '');
  const padding = compact.endsWith('==') ? 2 : compact.endsWith('=') ? 1 : 0;
  return (compact.length / 4) * 3 - padding;
}
