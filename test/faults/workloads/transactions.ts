/** Transactions that write one token into two to five resources; some fail on purpose at their last entry. */
import { type Attempt, checkTransactions } from '../checks/transactions.ts';
import { type Ground, readAll, type Workload } from './workload.ts';

export function createTransactions({ ask, chance, any }: Ground, keysCount = 10): Workload {
  const keys = Array.from({ length: keysCount }, (_none, index) => `token-${index}`);
  const attempts: Attempt[] = [];

  function choose(): readonly string[] {
    const size = chance.whole(2, 5);
    const chosen = new Set<string>();
    while (chosen.size < size) chosen.add(keys[chance.whole(0, keys.length - 1)] ?? '');
    return [...chosen];
  }

  return {
    name: 'transactions',
    prepare: async () => undefined,
    async step() {
      const token = `t${attempts.length}-${chance.whole(0, 1e9)}`;
      const chosen = choose();
      const mustFail = chance.next() < 0.2;
      const entry = chosen.map((key) => ({
        resource: { resourceType: 'Basic', id: key, code: { text: token } },
        request: { method: 'PUT', url: `Basic/${key}` },
      }));
      const wrong = { request: { method: 'DELETE', url: `Basic/${chosen[0]}-none`, ifMatch: 'W/"99"' } };
      const body = { resourceType: 'Bundle', type: 'transaction', entry: mustFail ? [...entry, wrong] : entry };
      const { result } = await ask('POST', any(), { body });
      attempts.push({ token, keys: chosen, result });
    },
    async verify() {
      const histories = new Map<string, readonly string[]>();
      for (const key of keys) histories.set(key, await tokensOf(key));
      const refused = attempts.filter(({ result }) => result === 'refused').length;
      return [
        ...checkTransactions(attempts, histories),
        ...(refused === 0 && attempts.length > 50 ? ['no transaction was refused: the workload shows nothing'] : []),
      ];
    },
    count: () => `${attempts.length} transactions`,
  };

  async function tokensOf(key: string): Promise<readonly string[]> {
    const asked = await ask('GET', `${any()}/Basic/${key}`);
    if (asked.status === 404) return [];
    const entries = await readAll(ask, `${any()}/Basic/${key}/_history?_count=500`);
    const newestFirst = entries.map(({ resource }) => (resource?.['code'] as { text: string } | undefined)?.text ?? '');
    return newestFirst.reverse();
  }
}
