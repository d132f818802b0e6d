/**
 * Extensions whose definitions are loaded: their content, the elements they are meant for, and whether they change the
 * meaning (https://hl7.org/fhir/R4/extensibility.html). Those that nobody has loaded are let pass, save modifiers.
 */
import { createInvariant, isObject } from '../../fhir/index.ts';
import { type Access, type Item } from './items.ts';
import { addFault, isOfType, type ProfileJudge } from './judge.ts';
import { rootOf } from './resolve.ts';
import type { Run } from './run.ts';
import { faultTexts } from './texts.ts';
import type { ProfileTree } from './tree.ts';

export function judgeExtension(judge: ProfileJudge, item: Item, run: Run): void {
  const url = isObject(item.value) ? item.value['url'] : undefined;
  if (typeof url !== 'string') return;
  if (!isAbsolute.test(url)) return judgePart(judge, item, { url, run });
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
  if (usedElsewhere.has(url)) return;
  if (!isMeantFor(judge, tree, item) || !areContextsMet(tree, item, run))
    addFault(run, item, { severity: 'error', code: 'structure', profile, ...faultTexts.extensionContext(url) });
}

const isAbsolute = /^[A-Za-z][A-Za-z0-9+.-]*:/;

interface Part {
  readonly url: string;
  readonly run: Run;
}

/** Parts of a complex extension have names of their own, those that its definition gives them; all others have a URL. */
function judgePart(judge: ProfileJudge, item: Item, { url, run }: Part): void {
  const { parent } = item;
  if (parent?.type !== 'Extension') {
    addFault(run, item, { severity: 'error', code: 'structure', ...faultTexts.extensionName });
    return;
  }
  const whole = isObject(parent.value) ? parent.value['url'] : undefined;
  const tree = typeof whole === 'string' && isAbsolute.test(whole) ? judge.tree(whole) : undefined;
  const names = tree?.type === 'Extension' ? partNames(tree) : [];
  if (tree === undefined || names.length === 0 || names.includes(url)) return;
  const { canonical: profile } = tree;
  addFault(run, item, { severity: 'error', code: 'structure', profile, ...faultTexts.extensionPart(profile) });
}

/** None where the definition closes the list: judging by it has said so already. */
function partNames({ root }: ProfileTree): readonly unknown[] {
  const parts = root.children.get('extension');
  if (parts === undefined || parts.slicing?.rules === 'closed') return [];
  return parts.slices.map((slice) => slice.children.get('url')?.fixed ?? slice.sliceName);
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

/** By FHIRPath about the resource: the element is one of those that it yields. What cannot be evaluated lets pass. */
function isSelected(judge: ProfileJudge, parent: Item, expression: string): boolean {
  const { resource } = rootOf(judge.access, parent);
  const element = isObject(parent.value) ? parent.value : parent.beside;
  return !isObject(element) || judge.selection(expression)(resource.value, element) !== false;
}

/** Invariants about the element that has the extension; what cannot be evaluated lets pass. */
function areContextsMet({ contextInvariants }: ProfileTree, { parent }: Item, run: Run): boolean {
  if (parent === undefined || contextInvariants.length === 0) return true;
  const scope = run.scope(parent);
  return contextInvariants.every(
    (expression) => createInvariant(expression, parent.type)(parent.value ?? parent.beside, scope) !== false,
  );
}

function isMeantFor(judge: ProfileJudge, { context }: ProfileTree, item: Item): boolean {
  const { parent } = item;
  if (parent === undefined || context.length === 0) return true;
  return context.some(({ type, expression = '' }) => {
    if (type === 'fhirpath') return isSelected(judge, parent, expression);
    if (type === 'extension') return isOfExtension(parent, expression.split('#')[0]);
    return isElement(judge.access, parent, (expression.split('#')[0] ?? '').replaceAll('[x]', ''));
  });
}

/** In another extension, or at its value. */
function isOfExtension({ value, name, parent }: Item, url: string | undefined): boolean {
  const above = name === 'value' && parent?.type === 'Extension' ? parent.value : value;
  return isObject(above) && above['url'] === url;
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
