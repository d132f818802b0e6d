/**
 * The elements of an R5 SubscriptionTopic (https://hl7.org/fhir/R5/subscriptiontopic-definitions.html) as extensions: which parts
 * each has, of which type, how many. What does not fit is named; nothing that an author wrote is passed over in silence.
 */
import type { Extension } from 'fhir/r4.js';

type Value = 'valueUri' | 'valueString' | 'valueCode' | 'valueBoolean' | 'valueMarkdown';

interface Part {
  readonly min: 0 | 1;
  readonly max: number;
  /** The member that holds it; or the parts of its own. */
  readonly is: Value | Form;
  readonly codes?: readonly string[];
}

type Form = Readonly<Record<string, Part>>;

const one = (is: Part['is'], codes?: readonly string[]): Part => ({ min: 0, max: 1, is, ...(codes && { codes }) });
const needed = (is: Part['is']): Part => ({ min: 1, max: 1, is });
const many = (is: Part['is'], codes?: readonly string[]): Part => ({ ...one(is, codes), max: Infinity });
const outcomes = ['test-passes', 'test-fails'];

export const comparators = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'];

const forms: Readonly<Record<string, Form>> = {
  resourceTrigger: {
    description: one('valueMarkdown'),
    resource: needed('valueUri'),
    supportedInteraction: many('valueCode', ['create', 'update', 'delete']),
    queryCriteria: one({
      previous: one('valueString'),
      resultForCreate: one('valueCode', outcomes),
      current: one('valueString'),
      resultForDelete: one('valueCode', outcomes),
      requireBoth: one('valueBoolean'),
    }),
    fhirPathCriteria: one('valueString'),
  },
  canFilterBy: {
    description: one('valueMarkdown'),
    resource: one('valueUri'),
    filterParameter: needed('valueString'),
    filterDefinition: one('valueUri'),
    comparator: many('valueCode', comparators),
    modifier: many('valueCode'),
  },
  notificationShape: { resource: needed('valueUri'), include: many('valueString'), revInclude: many('valueString') },
};

/** Elements that say something about the topic, and nothing about what it does. */
const about = new Set([
  ...['identifier', 'versionAlgorithm', 'name', 'derivedFrom', 'experimental', 'date', 'publisher', 'contact'],
  ...['useContext', 'jurisdiction', 'purpose', 'copyright', 'copyrightLabel', 'approvalDate', 'lastReviewDate'],
  ...['effectivePeriod', 'url', 'version', 'title', 'description', 'status'],
]);

export interface FormFault {
  /** The element of the topic, with its place among those of its name. */
  readonly element: string;
  readonly place: number;
  readonly text: string;
}

/** Faults of one element of the topic, `place`-th of its name. */
export function faultsOfElement(element: string, place: number, extension: Extension): readonly FormFault[] {
  if (about.has(element)) return [];
  const fault = (text: string): FormFault => ({ element, place, text });
  if (element === 'eventTrigger') return [fault('triggers by event codes are not supported')];
  const form = forms[element];
  if (form === undefined) return [fault(`a SubscriptionTopic has no ${element.slice(0, 40)}`)];
  return faultsOfParts(form, extension.extension ?? [], element).map(fault);
}

function faultsOfParts(form: Form, parts: readonly Extension[], path: string): readonly string[] {
  const unknown = parts.filter(({ url }) => form[url] === undefined).map(() => `${path} has a part that is not known`);
  const others = Object.entries(form).flatMap(([name, part]) => {
    const found = parts.filter(({ url }) => url === name);
    if (found.length < part.min) return [`${path} has no ${name}`];
    if (found.length > part.max) return [`${path} has more than one ${name}`];
    return found.flatMap((each) => faultsOfPart(part, each, `${path}.${name}`));
  });
  return [...unknown, ...others];
}

function faultsOfPart({ is, codes }: Part, extension: Extension, path: string): readonly string[] {
  if (typeof is === 'object') return faultsOfParts(is, extension.extension ?? [], path);
  const value = extension[is];
  if (value === undefined) return [`${path} has no ${is}`];
  const isKnown = codes === undefined || codes.includes(String(value));
  return isKnown ? [] : [`${path} is none of ${codes.join(', ')}`];
}
