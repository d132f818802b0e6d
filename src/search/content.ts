/**
 * `_text` and `_content` (https://hl7.org/fhir/R4/search.html#text): words in the narrative, or in any text of the resource.
 *
 * There is no index of words: it would make each write cost about twice as much for a question that is rarely asked. The texts are read
 * when they are asked for, and so only of few resources: the words must stand beside a criterion that leaves few (a patient, an
 * identifier, an id, a name); otherwise the search is refused.
 */
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { Condition } from './condition.ts';
import { isSelective } from './plan.ts';

export function requireFewTexts(conditions: readonly Condition[]): void {
  if (conditions.some(({ kind }) => kind === 'words') && !isSelective(conditions)) {
    const text =
      '_text and _content must stand beside a criterion that leaves few resources, such as patient or identifier';
    throw new Problem('too-costly', text);
  }
  const isFew = isSelective(conditions);
  for (const condition of conditions) for (const inner of innerOf(condition)) if (!isFew) requireFewTexts(inner);
}

function innerOf(condition: Condition): readonly (readonly Condition[])[] {
  switch (condition.kind) {
    case 'either':
      return condition.of;
    case 'not':
    case 'chain':
    case 'has':
      return [condition.of];
    default:
      return [];
  }
}

/** All strings of the resource, or the text of its narrative. As `text_of()` of migration 0013. */
export function textOf(resource: Resource, scope: 'narrative' | 'all'): string {
  if (scope === 'narrative') {
    const { text } = resource as { readonly text?: { readonly div?: string } };
    return (text?.div ?? '').replace(/<[^>]*>/g, ' ');
  }
  const found: string[] = [];
  gather(resource, found, 0);
  return found.join(' ');
}

const depthMax = 200;

function gather(value: unknown, found: string[], depth: number): void {
  if (typeof value === 'string') found.push(value.replace(/<[^>]*>/g, ' '));
  if (typeof value !== 'object' || value === null || depth > depthMax) return;
  for (const member of Object.values(value)) gather(member, found, depth + 1);
}
