/** Clients of the server, as they are stored: one that cannot be read is refused, and their ids are for them alone (identity/client.ts). */
import { clientIdPrefix } from '../access/index.ts';
import { Problem } from '../base/index.ts';
import { isClient, readClient } from '../identity/index.ts';
import type { WriteGuard } from './context.ts';

export const clientGuard: WriteGuard = {
  types: ['Basic'],
  check(_session, { after }) {
    if (after === undefined) return Promise.resolve(undefined);
    if (isClient(after)) {
      const reading = readClient(after);
      if (reading.kind === 'faults') {
        throw new Problem('unprocessable', 'the client has faults', { issues: reading.issues });
      }
    } else if ((after.id ?? '').startsWith(clientIdPrefix)) {
      throw new Problem('unprocessable', `an id that begins with ${clientIdPrefix} is for a client`);
    }
    return Promise.resolve(undefined);
  },
};
