/** `{{...}}` in the queries of a rule. */

const template = /\{\{\s*([^{}]*?)\s*\}\}/g;

export function templateNames(query: string): readonly string[] {
  return [...query.matchAll(template)].map((found) => found[1] ?? '');
}

/** Values are ids and UTC instants: nothing in them needs escaping in a query. */
export function fillTemplates(query: string, values: Readonly<Record<string, string>>): string {
  return query.replace(template, (_whole, name: string) => values[name] ?? '');
}

/** The templates there are, each with a value as it will be. */
export const sampleValues = {
  'focus.id': 'sample',
  'patient.id': 'sample',
  anchor: '2026-03-02T15:20:00.000Z',
  due: '2026-03-02T23:00:00.000Z',
};
