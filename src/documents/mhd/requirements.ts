/**
 * What the profiles of IHE MHD 4.2.3 and PDSm 3.1.1 ask of the parts of a submission, as tables: each flavour asks what those before
 * it do. Held here and not by loaded packages, so that a submission is judged the same on every server; packages that are loaded judge
 * it besides. A recipient may be lenient about what it does not need (ITI-65 section 4.1.3): `Identifier.use` is not asked for.
 */
import type { Issue } from '../../base/index.ts';
import type { Resource } from '../../fhir/index.ts';
import { designationExtension, type Flavour, flavours, listTypes, sourceIdExtension } from './profiles.ts';

type Rule = 'required' | 'forbidden' | 'single' | 'contained';

interface Requirement {
  readonly from: Flavour;
  readonly rule: Rule;
  readonly paths: readonly string[];
}

const ofDocument: readonly Requirement[] = [
  {
    from: 'minimal',
    rule: 'required',
    paths: ['masterIdentifier.value', 'content.attachment.contentType', 'content.attachment.url'],
  },
  { from: 'minimal', rule: 'forbidden', paths: ['modifierExtension', 'docStatus', 'content.attachment.data'] },
  { from: 'minimal', rule: 'single', paths: ['content', 'category'] },
  {
    from: 'uncontained',
    rule: 'required',
    paths: [
      ...['type', 'category', 'subject', 'securityLabel', 'content.attachment.language', 'content.attachment.creation'],
      ...['content.format', 'context.facilityType', 'context.practiceSetting', 'context.sourcePatientInfo'],
    ],
  },
  { from: 'comprehensive', rule: 'contained', paths: ['author', 'authenticator', 'context.sourcePatientInfo'] },
  {
    from: 'pdsm',
    rule: 'required',
    paths: [
      ...['contained', 'date', 'author', 'custodian', 'content.attachment.size', 'content.attachment.hash'],
      ...['content.attachment.title', 'context.period.start'],
    ],
  },
];

const notOfLists = [
  'encounter',
  'orderedBy',
  'emptyReason',
  'entry.flag',
  'entry.deleted',
  'entry.date',
  'modifierExtension',
];

const ofSubmissionSet: readonly Requirement[] = [
  { from: 'minimal', rule: 'required', paths: ['date', `extension(${sourceIdExtension})`] },
  { from: 'minimal', rule: 'forbidden', paths: notOfLists },
  { from: 'uncontained', rule: 'required', paths: ['subject', `extension(${designationExtension})`] },
  { from: 'comprehensive', rule: 'contained', paths: ['source'] },
  { from: 'pdsm', rule: 'required', paths: ['source', 'contained'] },
];

const ofFolder: readonly Requirement[] = [
  { from: 'minimal', rule: 'forbidden', paths: [...notOfLists, 'source'] },
  { from: 'uncontained', rule: 'required', paths: ['subject', 'title', `extension(${designationExtension})`] },
  { from: 'pdsm', rule: 'required', paths: ['date', 'entry'] },
];

/** `expression`: where the resource stands. */
export function faultsOfDocument(resource: Resource, flavour: Flavour, expression: string): readonly Issue[] {
  const { status } = resource;
  const wrong = status !== 'current' && status !== 'superseded';
  const faults = wrong
    ? [fault(`${expression}.status`, 'the status of a shared document is current or superseded')]
    : [];
  return [...faults, ...faultsOf(resource, ofDocument, flavour, expression)];
}

export function faultsOfSubmissionSet(resource: Resource, flavour: Flavour, expression: string): readonly Issue[] {
  const fits = resource['status'] === 'current' && resource['mode'] === 'working';
  const faults = fits ? [] : [fault(expression, 'a submission set has the status current and the mode working')];
  return [...faults, ...faultsOf(resource, ofSubmissionSet, flavour, expression)];
}

export function faultsOfFolder(resource: Resource, flavour: Flavour, expression: string): readonly Issue[] {
  return faultsOf(resource, ofFolder, flavour, expression);
}

/** `submissionset`, `folder`, or undefined for a List that is neither. */
export function listKind({ code }: Resource): string | undefined {
  const { coding = [] } = (code ?? {}) as { coding?: readonly { system?: string; code?: string }[] };
  return coding.find(({ system }) => system === listTypes)?.code;
}

export function fault(expression: string, text: string, code = 'business-rule'): Issue {
  return { severity: 'error', code, text, expression };
}

function faultsOf(
  resource: Resource,
  table: readonly Requirement[],
  flavour: Flavour,
  expression: string,
): readonly Issue[] {
  const level = flavours.indexOf(flavour);
  const applied = table.filter(({ from }) => flavours.indexOf(from) <= level);
  return applied.flatMap(({ rule, paths }) =>
    paths.flatMap((path) => {
      const text = textOf(rule, valuesAt(resource, path));
      const place = path.replace(/\(.*\)$/, '');
      return text === undefined
        ? []
        : [fault(`${expression}.${place}`, text, rule === 'required' ? 'required' : 'business-rule')];
    }),
  );
}

function textOf(rule: Rule, values: readonly unknown[]): string | undefined {
  switch (rule) {
    case 'required':
      return values.length === 0 ? 'the profile that the submission claims asks for this element' : undefined;
    case 'forbidden':
      return values.length > 0 ? 'the profile that the submission claims forbids this element' : undefined;
    case 'single':
      return values.length > 1 ? 'the profile that the submission claims allows this element once' : undefined;
    case 'contained':
      return values.every(isContained)
        ? undefined
        : 'the profile that the submission claims wants this resource contained';
  }
}

function isContained(value: unknown): boolean {
  const { reference } = value as { readonly reference?: string };
  return reference === undefined || reference.startsWith('#');
}

/** `content.attachment.url`, over arrays; `extension(url)` is the extensions of that url. */
function valuesAt(resource: Resource, path: string): readonly unknown[] {
  const [, url] = /^extension\((.*)\)$/.exec(path) ?? [];
  const names = url === undefined ? path.split('.') : ['extension'];
  let values: readonly unknown[] = [resource];
  for (const name of names) {
    values = values.flatMap((value) => (value as Readonly<Record<string, unknown>>)[name] ?? []).flat();
  }
  return url === undefined ? values : values.filter((value) => (value as { url?: unknown }).url === url);
}
