/**
 * Sorting by what has no ordered rows: tokens, references, URIs (https://hl7.org/fhir/R4/search.html#sort). Their values are read from the
 * stored JSON, and so only of few resources: the sort must stand beside a criterion that leaves few (a patient, an identifier, a name).
 *
 * A token is sorted by its code, an identifier and a contact point by its value, a reference by its text; all without case.
 */
import { Problem } from '../base/index.ts';
import type { Condition } from './condition.ts';
import type { IndexPath, SearchParameter } from './parameters.ts';
import type { Step } from './paths.ts';
import { isSelective } from './plan.ts';
import type { Sort } from './tree.ts';

const types: ReadonlySet<string> = new Set(['token', 'reference', 'uri']);

/** Sorted by its JSON: it has no rows that are in order. */
export function isSortedByJson({ type, column }: SearchParameter): boolean {
  return column === undefined && types.has(type);
}

/** Why there is nothing to sort by; undefined when there is. */
export function unsortable({ paths }: SearchParameter): string | undefined {
  const isComputed = paths.some(({ sources }) =>
    sources.some(({ steps }) => steps.some(({ kind }) => kind === 'compute')),
  );
  return isComputed ? 'its value is computed' : undefined;
}

export function requireFewSorted(conditions: readonly Condition[], sorts: readonly Sort[]): void {
  if (!sorts.some(({ parameter }) => isSortedByJson(parameter)) || isSelective(conditions)) return;
  const text =
    'parameter _sort: by a token, reference or uri it must stand beside a criterion that leaves few resources, such as patient or identifier';
  throw new Problem('too-costly', text);
}

/** Where the texts to sort by stand, as paths of PostgreSQL in lax mode, which looks into arrays by itself. */
export function jsonPaths({ paths }: SearchParameter): readonly string[] {
  return paths.flatMap((path) => path.sources.map(({ type, steps }) => jsonPath(path, type, steps)));
}

function jsonPath({ restriction }: IndexPath, type: string, steps: readonly Step[]): string {
  const only = restriction === undefined ? '' : ` ? (@ like_regex "(^|/)${restriction}/")`;
  return `lax $${steps.map(stepText).join('')}${tails[type] ?? ''}${only}`;
}

const tails: Readonly<Record<string, string>> = {
  Coding: '."code"',
  CodeableConcept: '."coding"."code"',
  Identifier: '."value"',
  ContactPoint: '."value"',
  Reference: '."reference"',
};

function stepText(step: Step): string {
  switch (step.kind) {
    case 'member':
      return `.${JSON.stringify(step.property)}${step.index === undefined ? '' : `[${step.index}]`}`;
    case 'filter':
      return ` ? (@.${JSON.stringify(step.property)} == ${JSON.stringify(step.value)})`;
    case 'compute':
      throw new Error('what is computed is refused before');
  }
}
