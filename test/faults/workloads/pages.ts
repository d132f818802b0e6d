/** Whoever walks through a search page by page while others write meets each of the resources that nobody touches, once. */
import type { Ground, Resource, Workload } from './workload.ts';
import { expectDone } from './workload.ts';

const total = 40;
const family = 'ARRADON';

export function createPages({ ask, chance, any }: Ground): Workload {
  const found: string[] = [];
  let walks = 0;
  let broken = 0;

  return {
    name: 'pages',
    async prepare() {
      for (let index = 0; index < total; index++) {
        const resource = {
          resourceType: 'Practitioner',
          id: `still-${index}`,
          name: [{ family, given: [`N${index}`] }],
        };
        await expectDone(ask('PUT', `${any()}/Practitioner/${resource.id}`, { body: resource }));
      }
    },
    async step() {
      // Others of the same type come and go on either side of the pages.
      const id = `moving-${chance.whole(0, 20)}`;
      const moving = { resourceType: 'Practitioner', id, name: [{ family: 'MOUVANT' }] };
      await ask('PUT', `${any()}/Practitioner/${id}`, { body: moving });
      await walkAndLook();
    },
    async verify() {
      await walkAndLook();
      return [...found, ...(walks === 0 ? ['no walk comes to its end'] : [])];
    },
    count: () => `${walks} walks through pages (${broken} broken off)`,
  };

  async function walkAndLook(): Promise<void> {
    const ids = await walk();
    if (ids === undefined) return void broken++;
    walks++;
    const still = ids.filter((one) => one.startsWith('still-'));
    if (new Set(still).size !== total) found.push(`a walk met ${new Set(still).size} of ${total} resources`);
    if (new Set(still).size !== still.length) found.push('a walk met a resource twice');
  }

  /** undefined: a page could not be had. */
  async function walk(): Promise<readonly string[] | undefined> {
    const ids: string[] = [];
    const sort = chance.pick(['_id', '-_lastUpdated', 'family']);
    for (let next: string | undefined = `${any()}/Practitioner?_count=9&_sort=${sort}`; next !== undefined; ) {
      const { result, text } = await ask('GET', next);
      if (result !== 'done') return undefined;
      const bundle = JSON.parse(text) as {
        entry?: readonly { resource: Resource }[];
        link: readonly { relation: string; url: string }[];
      };
      ids.push(...(bundle.entry ?? []).map(({ resource }) => resource.id));
      next = bundle.link.find(({ relation }) => relation === 'next')?.url;
    }
    return ids;
  }
}
