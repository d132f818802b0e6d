/**
 * Extensions whose definitions are loaded: their content, the elements they are meant for, and whether they change the
 * meaning (https://hl7.org/fhir/R4/extensibility.html). Those that nobody has loaded are let pass, save modifiers.
 */
import { type Access, isObject, type Item } from './items.ts';
import { addFault, isOfType, type ProfileJudge } from './judge.ts';
import type { Run } from './run.ts';
import { faultTexts } from './texts.ts';
import type { ProfileTree } from './tree.ts';

export function judgeExtension(judge: ProfileJudge, item: Item, run: Run): void {
  const url = isObject(item.value) ? item.value['url'] : undefined;
  // Parts of a complex extension have names of their own.
  if (typeof url !== 'string' || !/^(?:https?:|urn:)/.test(url)) return;
  const tree = judge.tree(url);
  const isModifier = item.name === 'modifierExtension';
  if (tree?.type !== 'Extension') {
    if (isModifier) addFault(run, item, { severity: 'warning', code: 'not-supported', ...faultTexts.unknownModifier });
    return;
  }
  judge.judge(item, url, run);
  const profile = tree.canonical;
  if (tree.root.isModifier !== isModifier) {
    const texts = isModifier ? faultTexts.noModifier(url) : faultTexts.modifier(url);
    addFault(run, item, { severity: 'error', code: 'structure', profile, ...texts });
  }
  if (!usedElsewhere.has(url) && !isMeantFor(judge.access, tree, item))
    addFault(run, item, { severity: 'error', code: 'structure', profile, ...faultTexts.extensionContext(url) });
}

const r4 = 'http://hl7.org/fhir/StructureDefinition/';
/** Of R4's own, those that R4's own definitions use on other elements than their context says. */
const usedElsewhere: ReadonlySet<string> = new Set(
  [
    'structuredefinition-fhir-type',
    'structuredefinition-normative-version',
    'regex',
    'translation',
    'valueset-concept-comments',
  ].map((name) => r4 + name),
);

/** Contexts that are expressions are not decided here: they let pass. */
function isMeantFor(access: Access, { context }: ProfileTree, item: Item): boolean {
  const { parent } = item;
  if (parent === undefined || context.length === 0) return true;
  return context.some(({ type, expression = '' }) => {
    if (type === 'fhirpath') return true;
    if (type === 'extension') return isObject(parent.value) && parent.value['url'] === expression.split('#')[0];
    return isElement(access, parent, (expression.split('#')[0] ?? '').replaceAll('[x]', ''));
  });
}

const anything: ReadonlySet<string> = new Set(['Element', 'CanonicalResource', 'MetadataResource']);

/** `Patient`, `HumanName.family`, `Element`: a type of the element, or a path that ends at it. */
function isElement(access: Access, item: Item, expression: string): boolean {
  // The HL7 validator takes `Element` for anything at all, resources too; the others are interfaces of later versions.
  if (anything.has(expression)) return true;
  if (isOfType(access, item.type, expression)) return true;
  let path = item.name;
  for (let { parent } = item; parent !== undefined; { parent } = parent) {
    for (let type: string | undefined = parent.type; type !== undefined; type = access.definitions.type(type)?.base)
      if (`${type}.${path}` === expression) return true;
    path = `${parent.name}.${path}`;
  }
  return false;
}
