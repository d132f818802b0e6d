/**
 * What a profile speaks of is there: each path of a differential names an element of the type that it constrains
 * (https://hl7.org/fhir/R4/profiling.html). A path is followed as far as there is one type only.
 */
import { type Definitions, type ElementDefinition, isObject, type TypeDefinition } from '../../fhir/index.ts';
import { jsonName } from '../members.ts';
import { type Item } from '../profiles/items.ts';
import { addFault, type ProfileJudge } from '../profiles/judge.ts';
import type { Run } from '../profiles/run.ts';
import { ownTexts } from './texts.ts';

export function judgeDifferential({ access }: ProfileJudge, item: Item, run: Run): void {
  if (!isObject(item.value)) return;
  const { type, derivation } = item.value;
  if (derivation !== 'constraint' || typeof type !== 'string' || access.definitions.type(type) === undefined) return;
  const [differential] = access.children(item, 'differential');
  for (const element of differential === undefined ? [] : access.children(differential, 'element')) {
    const path = isObject(element.value) ? element.value['path'] : undefined;
    if (typeof path === 'string' && !isThere(access.definitions, path))
      addFault(run, element, { severity: 'error', code: 'invalid', ...ownTexts.pathUnknown });
  }
}

function isThere(definitions: Definitions, path: string): boolean {
  const [root = '', ...names] = path.split('.');
  let type: TypeDefinition | undefined = definitions.type(root);
  for (const name of names) {
    if (type === undefined) return true;
    const step = stepTo(type, name);
    if (step === undefined) return false;
    type =
      step.types.length === 1 && step.types[0]?.code !== 'Resource'
        ? definitions.type(step.types[0]?.code ?? '')
        : undefined;
  }
  return true;
}

/** An element by its name, `value[x]`, or a choice with its type, `valueQuantity`. */
function stepTo(type: TypeDefinition, name: string): Pick<ElementDefinition, 'types'> | undefined {
  const own = type.elements.get(name.replace('[x]', ''));
  if (own !== undefined) return own;
  for (const element of type.elements.values()) {
    const reference = element.types.find((one) => element.isChoice && jsonName(element, one) === name);
    if (reference !== undefined) return { types: [reference] };
  }
  return undefined;
}
