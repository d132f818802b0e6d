/** The result of the public test cases as a table for people. */
import { type Case, type Finding, isError, restsOnTerminology } from './cases.ts';

export interface Row {
  readonly one: Case;
  /** The errors that we found. */
  readonly own: readonly Finding[];
}

/** `own`: those whose verdict needs nothing but the case; `terminology`: those that need a terminology server. */
export function rowsOf(rows: readonly Row[], kind: 'own' | 'terminology'): readonly Row[] {
  return rows.filter(({ one }) => one.leftOut === undefined && restsOnTerminology(one) === (kind === 'terminology'));
}

/** Both find errors, or neither does. */
export function agrees({ one, own }: Row): boolean {
  return own.length > 0 === one.expected.some(isError);
}

export function agreement(rows: readonly Row[]): number {
  return rows.filter(agrees).length / rows.length;
}

/**
 * Of the errors that the HL7 validator found, those for which we have one at the same place, or at the element that it
 * stands in or that stands in it; a document that cannot be read has one place.
 */
export function foundOf({ one, own }: Row): number {
  const places = own.map(({ expression }) => plain(expression));
  return one.expected.filter(isError).filter(({ expression }) => {
    const place = plain(expression);
    return places.some((ours) => ours === '' || place === '' || ours.startsWith(place) || place.startsWith(ours));
  }).length;
}

/** Without types, indexes and the comments that the HL7 validator puts in. */
function plain(expression: string): string {
  return expression.replace(/\/\*.*?\*\//g, '').replace(/\[[^\]]*\]|\.ofType\([^)]*\)|\.value/g, '');
}

export function tableText(rows: readonly Row[]): string {
  const own = rowsOf(rows, 'own');
  const terminology = rowsOf(rows, 'terminology');
  return [
    '# The public test cases of FHIR validators, R4',
    '',
    'Written by `npm run scoreboard` over a checkout of FHIR/fhir-test-cases. A case agrees when both the HL7 validator (the',
    'outcome `java` of the collection) and ours find errors, or neither does. Errors: those that it found, and of them those',
    'for which ours has one at the same place. A case with a profile counts twice: by itself and against the profile.',
    '',
    ...tableOf('Cases that need no external terminology', own),
    '',
    ...tableOf('Cases whose verdict rests on a terminology server (LOINC, SNOMED CT, displays)', terminology),
    '',
    ...leftOutTable(rows),
    '',
    '## Where the two disagree, and why',
    '',
    ...disagreements(own),
    '',
  ].join('\n');
}

function tableOf(title: string, rows: readonly Row[]): string[] {
  const categories = [...new Set(rows.map(({ one }) => one.category))].sort();
  const line = (name: string, of: readonly Row[]): string => {
    const agreed = of.filter(agrees).length;
    const missed = of.filter((row) => !agrees(row) && row.own.length === 0).length;
    const expected = of.reduce((sum, { one }) => sum + one.expected.filter(isError).length, 0);
    const found = of.reduce((sum, row) => sum + foundOf(row), 0);
    const share = of.length === 0 ? '' : `${((100 * agreed) / of.length).toFixed(1)} %`;
    const figures = [of.length, agreed, share, missed, of.length - agreed - missed, expected, found];
    return `| ${name} | ${figures.join(' | ')} |`;
  };
  return [
    `## ${title}`,
    '',
    '| category | cases | agree | share | only theirs | only ours | errors expected | found |',
    '|---|---|---|---|---|---|---|---|',
    ...categories.map((name) =>
      line(
        name,
        rows.filter(({ one }) => one.category === name),
      ),
    ),
    line('**all**', rows),
  ];
}

function leftOutTable(rows: readonly Row[]): string[] {
  const counts = new Map<string, number>();
  for (const { one } of rows)
    if (one.leftOut !== undefined) counts.set(one.leftOut, (counts.get(one.leftOut) ?? 0) + 1);
  const lines = [...counts].sort(([, left], [, right]) => right - left);
  return [
    '## Left out',
    '',
    '| cases | why |',
    '|---|---|',
    ...lines.map(([reason, count]) => `| ${count} | ${reason} |`),
  ];
}

/** Kinds of difference, by what the HL7 validator says or by what we say. */
const kinds: readonly (readonly [why: string, theirs: RegExp])[] = [
  ['extensions that nobody has loaded are let pass, theirs must be known', /could not be found so is not allowed/],
  [
    'example URLs, embedded HTML, links of a narrative: advice for publishers, not rules of R4',
    /Example URLs|embedded HTML|Hyperlink|class attribute|language sections|section in the narrative/,
  ],
  [
    'displays and codes of external systems',
    /Wrong Display Name|Unknown code|not in the (?:value set|options value set)|list of allowed values/,
  ],
  [
    'references to other places are not followed',
    /Unable to find a profile match|Unable to resolve|resourceType|Multiple matches|Can't find/,
  ],
  ['bounds that are durations from now (R5)', /UCUM|told as a number/],
  [
    'definitions are judged as resources, not as definitions (snapshots, slicing, expressions, derived parameters)',
    /generating Snapshot|discriminator|obligation|Profile http|Value is 'http|derivedFrom|search expression|type is|redefine|owning committee|has a property/i,
  ],
  [
    'Measures and their reports are not compared',
    /[Mm]easure|[Gg]roup|stratifier|CQL|Canonical URLs|Canonical URL|Duplicate id/,
  ],
  [
    'profiles that a resource does not claim (vital signs by code, by implementation guide, by parameter)',
    /magic LOINC|minimum required|Slice '|matching slice/,
  ],
  ['rules of R5 (obligations, additional bindings, value alternatives)', /requires that|additional binding/],
  ['dates of different precision: what is not surely wrong is let pass', /per-1/],
];

function disagreements(rows: readonly Row[]): string[] {
  const differing = rows.filter((row) => !agrees(row));
  const why = ({ one, own }: Row): string => {
    if (own.length > 0) return 'only ours';
    const text = one.expected.find(isError)?.text ?? '';
    return kinds.find(([, theirs]) => theirs.test(text))?.[0] ?? 'other';
  };
  const groups = new Map<string, string[]>();
  for (const row of differing) groups.set(why(row), [...(groups.get(why(row)) ?? []), row.one.name]);
  const lines = [...groups].sort(([, left], [, right]) => right.length - left.length);
  return [
    '| cases | why | which |',
    '|---|---|---|',
    ...lines.map(([reason, names]) => `| ${names.length} | ${reason} | ${names.sort().join(', ')} |`),
  ];
}
