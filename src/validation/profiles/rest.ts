/**
 * What the schemas leave open of base R4: bindings on more than codes, grammars, extensible bindings, the invariants
 * that have no function of their own. Looked up for each element of each type once, then by name.
 */
import {
  type ConstraintDefinition,
  createInvariant,
  type ElementDefinition,
  type TypeDefinition,
} from '../../fhir/index.ts';
import { findInvariant } from '../invariants/index.ts';
import { ownChecksOf } from '../own/own-checks.ts';
import { judgeBinding } from './binding.ts';
import type { Item } from './items.ts';
import { addFault, type ProfileJudge } from './judge.ts';
import type { Run } from './run.ts';
import { faultTexts } from './texts.ts';

type ItemCheck = (item: Item, run: Run) => void;

export interface BaseRest {
  /** Of all items of a type. */
  ofType(type: string): readonly ItemCheck[];
  /** Of the items of one element of a type. */
  ofElement(type: string, element: string): readonly ItemCheck[];
}

/** By the schema (`../members.ts`, `../contained.ts`, `../narrative.ts`), under other names. */
const doneElsewhere: ReadonlySet<string> = new Set([
  'ele-1',
  'dom-2',
  'dom-3',
  'dom-4',
  'dom-5',
  'ref-1',
  'txt-1',
  'txt-2',
]);

export interface RestOptions {
  /** Extensible bindings, and invariants that are only warnings. */
  readonly tellsWarnings: boolean;
}

export function createBaseRest(judge: ProfileJudge, options: RestOptions): BaseRest {
  const { definitions } = judge.access;
  const ofTypes = new Map<string, readonly ItemCheck[]>();
  const ofElements = new Map<string, ReadonlyMap<string, readonly ItemCheck[]>>();
  const typeChecks = (name: string): readonly ItemCheck[] => {
    const known = ofTypes.get(name);
    if (known !== undefined) return known;
    const made = [
      ...makeConstraintChecks(definitions.type(name)?.constraints ?? [], options),
      ...ownChecksOf(judge, name),
    ];
    ofTypes.set(name, made);
    return made;
  };
  const elementChecks = (name: string): ReadonlyMap<string, readonly ItemCheck[]> => {
    const known = ofElements.get(name) ?? makeElementChecks(judge, definitions.type(name), options);
    ofElements.set(name, known);
    return known;
  };
  return { ofType: typeChecks, ofElement: (type, element) => elementChecks(type).get(element) ?? none };
}

const none: readonly ItemCheck[] = [];

function makeElementChecks(
  judge: ProfileJudge,
  type: TypeDefinition | undefined,
  options: RestOptions,
): ReadonlyMap<string, readonly ItemCheck[]> {
  const checks = new Map<string, readonly ItemCheck[]>();
  for (const element of type?.elements.values() ?? []) {
    const own = [
      ...makeBindingChecks(judge, element, options),
      ...makeConstraintChecks(element.constraints ?? [], options),
    ];
    if (own.length > 0) checks.set(element.name, own);
  }
  return checks;
}

function makeBindingChecks(judge: ProfileJudge, element: ElementDefinition, options: RestOptions): ItemCheck[] {
  const { binding, types } = element;
  if (binding === undefined || (binding.strength !== 'required' && binding.strength !== 'extensible')) return [];
  if (binding.strength === 'extensible' && !options.tellsWarnings) return [];
  const isBySchema = (type: string): boolean =>
    binding.strength === 'required' &&
    (type === 'code' || type === 'CodeableConcept') &&
    judge.access.definitions.codes(binding.valueSet) !== undefined;
  const open = new Set(types.map(({ code }) => code).filter((code) => bindable.has(code) && !isBySchema(code)));
  if (open.size === 0) return [];
  return [
    (item, run) => {
      const fault = open.has(item.type) ? judgeBinding(judge, item, binding) : undefined;
      // A whole external system in R4 (LOINC, SNOMED CT) is not known to anybody: that is not worth a word each time.
      if (fault !== undefined && (fault.code !== 'not-supported' || options.tellsWarnings)) addFault(run, item, fault);
    },
  ];
}

const bindable: ReadonlySet<string> = new Set(['code', 'Coding', 'CodeableConcept', 'Quantity', 'string', 'uri']);

function makeConstraintChecks(constraints: readonly ConstraintDefinition[], options: RestOptions): ItemCheck[] {
  return constraints
    .filter(({ severity }) => severity === 'error' || options.tellsWarnings)
    .filter(
      ({ key, source, severity }) =>
        !doneElsewhere.has(key) && (severity === 'warning' || findInvariant(source, key) === undefined),
    )
    .map(makeConstraintCheck);
}

function makeConstraintCheck({ key, source, severity, human, expression }: ConstraintDefinition): ItemCheck {
  const byType = new Map<string, ReturnType<typeof createInvariant>>();
  return (item, run) => {
    const invariant = byType.get(item.type) ?? createInvariant(expression, item.type);
    byType.set(item.type, invariant);
    if (invariant(item.value ?? item.beside, run.scope(item)) === false)
      addFault(run, item, { severity, code: 'invariant', ...faultTexts.invariant(key, human, source) });
  };
}
