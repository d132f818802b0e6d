/** What the tests of letters share: fixtures, fixed ids and times, and short ways to look into a plan. */
import { readFileSync } from 'node:fs';
import type { Resource } from '../../src/fhir/index.ts';
import { type LetterPlan, type LetterResult, readLetter } from '../../src/letters/index.ts';

const fixtures = new URL('./fixtures/', import.meta.url);

export function fixture(name: string): string {
  return readFileSync(new URL(name, fixtures), 'utf8');
}

export function fixturePath(name: string): URL {
  return new URL(name, fixtures);
}

export function read(source: string | Uint8Array, visibility: readonly string[] = []): LetterResult {
  let count = 0;
  const bytes = typeof source === 'string' ? new TextEncoder().encode(source) : source;
  return readLetter(bytes, {
    zone: 'Europe/Paris',
    newId: () => `id-${++count}`,
    receivedAt: '2026-03-02T16:30:00Z',
    visibility,
  });
}

export function planOf(source: string | Uint8Array, visibility: readonly string[] = []): LetterPlan {
  const result = read(source, visibility);
  if (result.kind === 'review') throw new Error(JSON.stringify(result.reasons));
  return result.plan;
}

export function resources<T = Resource>(plan: LetterPlan, type: string): T[] {
  const found = plan.entries.filter(({ resource }) => resource.resourceType === type);
  // The store makes the bytes the data of their Binary.
  const dataOf = (content: Uint8Array | undefined) =>
    content === undefined ? {} : { data: Buffer.from(content).toString('base64') };
  return found.map(({ resource, content }) => ({ ...resource, ...dataOf(content) }) as T);
}

/** The only resource of a type. */
export function only<T = Resource>(plan: LetterPlan, type: string): T {
  const [resource, ...others] = resources<T>(plan, type);
  if (resource === undefined || others.length > 0) throw new Error(`one ${type} expected, ${others.length} more found`);
  return resource;
}

/** A fixture with a body that has every section and kind of entry of its guide. */
export function richLetter(name: 'discharge' | 'discharge-v2' | 'admission'): string {
  const body = fixture(`${name.replace('-v2', '')}-body.xml`);
  const letter = fixture(`${name}.xml`).replace(/ *<structuredBody>[^]*<\/structuredBody>\n/, () => body);
  if (!letter.includes(body)) throw new Error(`${name}.xml has no body to replace`);
  return letter;
}
