/**
 * Storing a SearchParameter makes it a parameter of this server: validated here, known to new writes at once, built for what is stored by a
 * job (store/reindex.ts). Deleting or retiring it takes it away.
 */
import type { Clock } from '../base/index.ts';
import { requestJobs } from '../queue/index.ts';
import { readCustomParameter, type SearchContext } from '../search/index.ts';
import { dropParameter, reindexJob, saveParameter } from '../store/index.ts';
import type { WriteGuard } from './context.ts';

export function searchParameterGuard(search: SearchContext, clock: Clock): WriteGuard {
  return {
    types: ['SearchParameter'],
    async check(session, { before, after }) {
      const custom = after === undefined ? undefined : readCustomParameter(search, after);
      const id = (after ?? before)?.id;
      if (id === undefined) return undefined;
      if (custom === undefined) {
        await dropParameter(session, id);
        return undefined;
      }
      const isNew = await saveParameter(session, { ...custom, id }, clock.now());
      if (isNew) await requestJobs(session, [reindexJob(id, clock.now())]);
      return undefined;
    },
  };
}
