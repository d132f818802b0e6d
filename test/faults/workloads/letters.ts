/** Each letter comes one to three times, to either server, at once or later: one document, its bytes as they were. */
import { createHash } from 'node:crypto';
import { letterText } from '../../../src/demo/letter.ts';
import { createPerson } from '../../../src/demo/people.ts';
import type { Chance } from '../../../src/demo/random.ts';
import { checkSingle, type Create } from '../checks/single.ts';
import { type Ground, type Resource, searchAll, type Workload } from './workload.ts';

const dayMs = 86_400_000;

export function createLetters({ ask, chance, any }: Ground): Workload {
  const sent = new Map<string, { readonly creates: Create[] }>();
  let count = 0;

  async function send(bytes: Uint8Array, key: string): Promise<void> {
    const { result } = await ask('POST', `${any()}/DocumentReference/$ingest`, {
      body: bytes,
      type: 'application/cda+xml',
      isRepeatable: true,
    });
    sent.get(key)?.creates.push({ key, result });
  }

  return {
    name: 'letters',
    prepare: async () => undefined,
    async step() {
      if (count > 400) return;
      const bytes = letter(++count, chance);
      const key = createHash('sha256').update(bytes).digest('base64');
      sent.set(key, { creates: [] });
      await Promise.all(Array.from({ length: chance.whole(1, 3) }, () => send(bytes, key)));
      if (chance.next() < 0.3) await send(bytes, key);
    },
    async verify() {
      const documents = await searchAll(ask, `${any()}/DocumentReference?_count=100`);
      const there: string[] = [];
      const found: string[] = [];
      for (const document of documents) {
        const hash = await hashOf(document);
        there.push(hash);
        if (!sent.has(hash)) found.push(`DocumentReference/${document.id} has other bytes than any that were sent`);
      }
      const creates = [...sent.values()].flatMap((one) => one.creates);
      return [...found, ...checkSingle(creates, there).map((line) => `letter: ${line}`)];
    },
    count: () => `${[...sent.values()].flatMap((one) => one.creates).length} sendings of ${sent.size} letters`,
  };

  async function hashOf(document: Resource): Promise<string> {
    const [content] = document['content'] as readonly { readonly attachment: { readonly url?: string } }[];
    const path = content?.attachment.url ?? '';
    const url = path.startsWith('http') ? path : `${any()}/${path}`;
    const { text } = await ask('GET', url, { headers: { accept: 'application/fhir+json' } });
    const { data } = JSON.parse(text) as { readonly data?: string };
    return createHash('sha256')
      .update(Buffer.from(data ?? '', 'base64'))
      .digest('base64');
  }
}

function letter(number: number, chance: Chance): Uint8Array {
  const discharged = Date.UTC(2026, 2, 2, 15, 20);
  const [admitted, written] = [discharged - 7 * dayMs, discharged + chance.whole(0, 3) * dayMs];
  return new TextEncoder().encode(letterText({ person: createPerson(number, chance), admitted, discharged, written }));
}
