/** What Suture ships beside its rules: valid R4, and consistent with itself. */
import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { createValidator } from '../../src/validation/index.ts';
import { definitions, readProfiles, ruleOf } from './support.ts';

const folders = ['rules', 'code-systems', 'value-sets', 'extensions', 'structures', 'search-parameters'];
const all = folders.flatMap(readProfiles);
const base = 'https://suture.example/fhir';

function codesOf(system: string): readonly string[] {
  const found = all.find((resource) => resource['url'] === `${base}/CodeSystem/${system}`);
  return ((found?.['concept'] ?? []) as { code: string }[]).map(({ code }) => code);
}

describe('The shipped resources', () => {
  test.each(all.map((resource) => [`${resource.resourceType}/${resource.id}`, resource] as const))(
    '%s is valid R4',
    async (_reference, resource) => {
      const validator = await createValidator({ definitions });
      expect(validator.validate(resource)).toEqual([]);
    },
  );

  test('are all under the canonical base, each with its id', () => {
    // Search parameters that IHE MHD and PDSm define keep the canonical of their guide: clients know them by it.
    const ofGuides =
      /^https:\/\/(?:profiles\.ihe\.net\/ITI\/MHD|interop\.esante\.gouv\.fr\/ig\/fhir\/pdsm)\/SearchParameter\//;
    const guides = all.filter(({ url }) => ofGuides.test(String(url)));
    expect(guides).toHaveLength(7);
    for (const resource of all) {
      if (guides.includes(resource)) continue;
      expect(resource['url']).toBe(`${base}/${resource.resourceType}/${resource.id}`);
    }
    expect(new Set(all.map((resource) => resource['url'])).size).toBe(all.length);
  });

  test('the code system of rules has every rule and every rule that one silences', () => {
    const codes = codesOf('break-rule');
    expect(codes).toHaveLength(38);
    for (const code of codes) {
      expect(codes).toContain(code);
      for (const inhibited of ruleOf(code).inhibits) expect(codes).toContain(inhibited);
    }
  });

  test.each([
    [
      'break-state',
      ['pre-alert', 'open', 'acknowledged', 'in-progress', 'on-hold', 'repaired', 'auto-closed', 'moot', 'rejected'],
    ],
    ['task', ['repair-break', 'review-letter', 're-index', 'resources-done', 'resources-found', 'publish-document']],
    [
      'break-reason',
      [
        'late',
        'met-in-time-known-late',
        'met',
        'premise-changed',
        'entered-in-error',
        'deceased',
        'plan-ended',
        'inhibited',
        'false-positive',
        'done-by-hand',
        'rule-changed',
      ],
    ],
  ])('the code system %s has the codes of the outside contract', (system, codes) => {
    expect(codesOf(system)).toEqual(codes);
  });

  test.each([
    [
      'orientation',
      [
        'adressage-suspicion-cancer',
        'demande-appui-dac',
        'soins-domicile',
        'evaluation-geriatrique',
        'soins-palliatifs',
        'social',
      ],
    ],
    ['act', ['biopsie', 'traitement-anticancereux', 'chimiotherapie']],
    ['conclusion', ['suspicion-cancer']],
    ['score', ['ctcae-grade', 'g8']],
    [
      'visit',
      [
        'chirurgie-ambulatoire',
        'temps-infirmier-primo',
        'temps-pharmaceutique-primo',
        'chimiotherapie',
        'radiotherapie',
        'chirurgie',
        'soins-palliatifs',
      ],
    ],
  ])('the code system %s has the codes that rules read', (system, codes) => {
    expect(codesOf(system)).toEqual(expect.arrayContaining(codes));
  });

  test('texts are French with an English translation', () => {
    const texts = (resource: Resource) =>
      [resource['_title'], resource['_description']].filter((one) => one !== undefined);
    for (const resource of all) {
      for (const text of texts(resource)) expect(JSON.stringify(text)).toContain('"valueCode":"en"');
      expect(texts(resource).length).toBeGreaterThan(0);
    }
  });

  test('value sets draw on code systems that are shipped, profiles on types and value sets that exist', () => {
    const urls = new Set(all.map((resource) => resource['url']));
    const ours = JSON.stringify([...readProfiles('value-sets'), ...readProfiles('structures')]).match(
      /https:\/\/suture\.example\/fhir\/(?:CodeSystem|ValueSet|StructureDefinition)\/[a-z-]+/g,
    );
    for (const url of ours ?? []) expect(urls).toContain(url);
    for (const profile of readProfiles('structures'))
      expect(definitions.resourceTypes.has(profile['type'] as string)).toBe(true);
  });

  test('every code of the project that a rule names is in its code system', () => {
    const named = JSON.stringify(readProfiles('rules')).matchAll(
      /system = %cs_([a-z]+) and code (?:= '([a-z0-9-]+)'|in \(([^)]*)\))/g,
    );
    for (const [, system = '', code = '', codes = ''] of named)
      for (const one of code === '' ? codes.replaceAll("'", '').split(' | ') : [code])
        expect(codesOf(system)).toContain(one);
  });

  test('search parameters are on types that exist', () => {
    for (const resource of readProfiles('search-parameters')) {
      for (const type of resource['base'] as string[]) expect(definitions.resourceTypes.has(type)).toBe(true);
    }
  });
});
