/** The same identifier, created on condition by several clients at once, singly and in transactions, and again later. */
import { checkSingle, type Create } from '../checks/single.ts';
import { type Ground, searchAll, type Workload } from './workload.ts';

const system = 'https://hopital.example/essai/unique';
const together = 4;

export function createCreates({ ask, chance, any }: Ground): Workload {
  const creates: Create[] = [];
  let count = 0;

  async function create(key: string): Promise<void> {
    const resource = { resourceType: 'Basic', identifier: [{ system, value: key }], code: { text: 'unique' } };
    const condition = `identifier=${system}|${key}`;
    const asked =
      chance.next() < 0.5
        ? ask('POST', `${any()}/Basic`, { body: resource, headers: { 'if-none-exist': condition }, isRepeatable: true })
        : ask('POST', any(), { body: transaction(resource, condition), isRepeatable: true });
    const { result } = await asked;
    creates.push({ key, result });
  }

  return {
    name: 'conditional creates',
    prepare: async () => undefined,
    async step() {
      const isRepeated = count > 0 && chance.next() < 0.2;
      const key = `k${isRepeated ? chance.whole(1, count) : ++count}`;
      await Promise.all(Array.from({ length: together }, () => create(key)));
    },
    async verify() {
      const there = await searchAll(ask, `${any()}/Basic?identifier=${system}|&_count=500`);
      const keys = there.map(({ identifier }) => (identifier as readonly { readonly value: string }[])[0]?.value ?? '');
      return checkSingle(creates, keys).map((line) => `conditional create: ${line}`);
    },
    count: () => `${creates.length} conditional creates of ${count} identifiers`,
  };
}

function transaction(resource: object, ifNoneExist: string): object {
  const request = { method: 'POST', url: 'Basic', ifNoneExist };
  return { resourceType: 'Bundle', type: 'transaction', entry: [{ resource, request }] };
}
