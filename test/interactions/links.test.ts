/** Links of pages keep how the answer is written (https://hl7.org/fhir/R4/http.html#parameters, #paging): all pages are written alike. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Bundle, Patient } from 'fhir/r4.js';
import { startTestApp, type TestApp } from '../support/app.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  const people = ['a', 'b', 'c'].map((id) => ({
    resourceType: 'Patient' as const,
    id,
    gender: 'female' as const,
    name: [{ family: 'Le Bihan' }],
    maritalStatus: { text: 'mariée' },
  }));
  await test.client.putAll(...people);
  await test.client.putAll(...people.map((one) => ({ ...one, active: true })));
});
afterAll(() => test?.close());

const below = (url: string): string => url.slice(test.client.baseUrl.length + 1);

async function pages(path: string): Promise<readonly Bundle[]> {
  const found: Bundle[] = [];
  for (let next: string | undefined = path; next !== undefined && found.length < 20; ) {
    const bundle = (await test.client.get(next)).json as Bundle;
    found.push(bundle);
    const link: string | undefined = bundle.link?.find(({ relation }) => relation === 'next')?.url;
    next = link === undefined ? undefined : below(link);
  }
  return found;
}

const patients = (bundles: readonly Bundle[]): readonly Patient[] =>
  bundles.flatMap(({ entry = [] }) => entry.flatMap(({ resource }) => (resource as Patient | undefined) ?? []));

describe('Every page', () => {
  it.each([
    'Patient?name=le',
    'Patient/_history?_since=2020-01-01',
    '_history?_since=2020-01-01',
    'Patient/a/_history?_since=2020-01-01',
  ])('of %s is a summary where one was asked for', async (path) => {
    const found = patients(await pages(`${path}&_count=1&_summary=true`)).filter(
      ({ resourceType }) => resourceType === 'Patient',
    );
    expect(found.length).toBeGreaterThan(1);
    for (const one of found) expect([one.gender, one.maritalStatus]).toEqual(['female', undefined]);
  });

  it.each(['Patient?name=le', 'Patient/_history?_since=2020-01-01'])(
    'of %s has the elements asked for',
    async (path) => {
      const found = patients(await pages(`${path}&_count=1&_elements=name`));
      expect(found.length).toBeGreaterThan(1);
      for (const one of found) expect([one.name?.[0]?.family, one.gender]).toEqual(['Le Bihan', undefined]);
    },
  );

  it.each(['Patient?name=le', 'Patient/_history?_since=2020-01-01'])('of %s has the format asked for', async (path) => {
    const first = await test.client.get(`${path}&_count=1&_format=xml&_pretty=true`);
    const next = /<relation value="next"\/>\s*<url value="([^"]*)"/.exec(first.text)?.[1]?.replaceAll('&amp;', '&');
    const second = await test.client.get(below(next ?? ''));
    expect(second.headers.get('content-type')).toContain('application/fhir+xml');
    expect(second.text).toContain('\n  <');
  });
});
