/**
 * The bytes of a letter are never changed, and never lost: they stand in a Binary whose id is their SHA-256, and under such an id
 * nothing else is taken, nor is it deleted. Otherwise who may write Binaries could put other bytes under a letter that was taken,
 * or in the place of one that has not come yet. What stands beside them (labels) may change.
 */
import { createHash } from 'node:crypto';
import { Problem } from '../base/index.ts';
import type { WriteGuard } from './context.ts';

export const letterBytesGuard: WriteGuard = {
  types: ['Binary'],
  looksBack: 'deletions',
  check(_session, { before, after, id, hasContent }) {
    // Only ingestion writes bytes beside the resource, and has named them itself.
    if (hasContent || !/^[0-9a-f]{64}$/.test(id)) return Promise.resolve(undefined);
    const data = (after ?? before)?.['data'];
    const isItself = typeof data === 'string' && hashOf(data) === id;
    if (after === undefined && isItself)
      throw new Problem('unsupported-interaction', 'the bytes of a letter are not deleted');
    if (after !== undefined && !isItself)
      throw new Problem('unprocessable', 'the id of the Binary is a SHA-256, and not that of its data');
    return Promise.resolve(undefined);
  },
};

function hashOf(data: string): string {
  return createHash('sha256').update(Buffer.from(data, 'base64')).digest('hex');
}
