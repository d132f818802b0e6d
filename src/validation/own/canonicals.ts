/**
 * How definitions name themselves and each other: the URL of a definition, and the system that a value set takes codes
 * from, are absolute (https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.url, #ValueSet.compose.include.system);
 * and what a code system says of its own content (https://hl7.org/fhir/R4/codesystem.html).
 */
import { isObject } from '../../fhir/index.ts';
import { type Item } from '../profiles/items.ts';
import { addFault, type ProfileJudge } from '../profiles/judge.ts';
import type { Run } from '../profiles/run.ts';
import type { Texts } from '../profiles/texts.ts';
import { ownTexts } from './texts.ts';

const isAbsolute = /^[A-Za-z][A-Za-z0-9+.-]*:/;
/** Official examples have it in upper case too. */
const uuid = /^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function judgeOwnUrl({ access }: ProfileJudge, item: Item, run: Run): void {
  for (const url of access.children(item, 'url')) {
    if (typeof url.value !== 'string') continue;
    if (!isAbsolute.test(url.value)) fault(run, url, ownTexts.urlRelative);
    else if (url.value.startsWith('urn:uuid:') && !uuid.test(url.value)) fault(run, url, ownTexts.urlUuid);
  }
}

/** The system of a contained code system may be its link, as in an official example. */
export function judgeInclude({ access }: ProfileJudge, item: Item, run: Run): void {
  for (const system of access.children(item, 'system')) {
    if (typeof system.value !== 'string' || isAbsolute.test(system.value)) continue;
    const isContained = system.value.startsWith('#') && run.resolve(system.value, system)?.type === 'CodeSystem';
    if (!isContained) fault(run, system, ownTexts.systemRelative);
  }
}

/** `notSelectable` says yes or no (https://hl7.org/fhir/R4/codesystem-concept-properties.html). */
export function judgeFilter(_judge: ProfileJudge, item: Item, run: Run): void {
  if (!isObject(item.value)) return;
  const { property, op, value } = item.value;
  const isWrong = property === 'notSelectable' && op === '=' && value !== 'true' && value !== 'false';
  if (isWrong && typeof value === 'string') fault(run, item, ownTexts.filterBoolean);
}

export function judgeCodeSystem({ access }: ProfileJudge, item: Item, run: Run): void {
  if (!isObject(item.value)) return;
  const { content, supplements, concept } = item.value;
  if (content === 'not-present' && concept !== undefined) fault(run, item, ownTexts.conceptsNotPresent);
  if (supplements !== undefined && content !== 'supplement') fault(run, item, ownTexts.supplementContent);
  const codes = new Set<unknown>();
  for (const property of access.children(item, 'property')) {
    const code = isObject(property.value) ? property.value['code'] : undefined;
    // An official example (SNOMED CT) has one twice: no more than a warning.
    if (codes.has(code))
      addFault(run, property, { severity: 'warning', code: 'business-rule', ...ownTexts.propertyTwice });
    codes.add(code);
  }
}

function fault(run: Run, item: Item, texts: Texts): void {
  addFault(run, item, { severity: 'error', code: 'business-rule', ...texts });
}
