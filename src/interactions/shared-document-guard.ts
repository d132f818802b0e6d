/** Guards fiches that were published by IHE MHD or PDSm: no physical deletion, no status that MHD does not have. */
import { requireChangeAllowed } from '../documents/index.ts';
import type { WriteGuard } from './context.ts';

export const sharedDocumentGuard: WriteGuard = {
  types: ['DocumentReference'],
  looksBack: 'deletions',
  check(_session, { before, after }) {
    requireChangeAllowed(before, after);
    return Promise.resolve(undefined);
  },
};
