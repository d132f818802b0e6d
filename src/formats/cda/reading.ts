/**
 * Reads HL7 v3 data types (https://hl7.org/cda, ISO 21090) from the tree. Nothing here throws: what is wrong becomes an
 * issue with its XPath, and the value is left out. An `error` refuses the document, a `warning` is a finding.
 */
import type { Issue } from '../../base/index.ts';
import { attribute, child, children, isElement, textOf, type XmlElement, xpath } from '../xml-tree.ts';
import type {
  CodedValue,
  InstanceIdentifier,
  NamePart,
  OrganizationParty,
  PersonName,
  PostalAddress,
  Telecom,
  TimeInterval,
} from './model.ts';
import { readDateTime } from './time.ts';

export interface Reading {
  /** IANA zone of times that carry no offset. */
  readonly zone: string;
  /** What was found wrong so far. */
  readonly issues: Issue[];
}

export interface Fault {
  readonly severity: 'error' | 'warning' | 'information';
  readonly code: string;
  readonly text: string;
}

/** Of each severity so many issues are kept: a hostile document can hold one per element. */
const issuesMax = 100;

/** Notes a fault at `below` (`/@value`, `/author`) of the element. */
export function report(reading: Reading, fault: Fault, element: XmlElement, below = ''): void {
  const alike = reading.issues.filter(({ severity }) => severity === fault.severity);
  if (alike.length < issuesMax) reading.issues.push({ ...fault, expression: `${xpath(element)}${below}` });
}

const oid = /^[0-2](?:\.(?:0|[1-9]\d*))+$/;
const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Identifiers with a real root. Official samples hold roots like `xxxx`: told and left out. */
export function readIds(reading: Reading, parent: XmlElement | undefined, name = 'id'): readonly InstanceIdentifier[] {
  return children(parent, name).flatMap((element) => {
    const root = attribute(element, 'root');
    if (root === undefined) return [];
    if (!oid.test(root) && !uuid.test(root)) {
      const text = 'identifiant dont la racine n’est ni un OID ni un UUID';
      report(reading, { severity: 'warning', code: 'value', text }, element, '/@root');
      return [];
    }
    return [{ root: root.toLowerCase(), extension: attribute(element, 'extension') }];
  });
}

export function readCode(element: XmlElement | undefined): CodedValue | undefined {
  if (element === undefined) return undefined;
  const value: CodedValue = {
    code: attribute(element, 'code'),
    system: attribute(element, 'codeSystem'),
    display: attribute(element, 'displayName')?.replace(/\s+/g, ' '),
    originalText: textOf(child(element, 'originalText')),
    translations: children(element, 'translation').flatMap((translation) => readCode(translation) ?? []),
  };
  const isEmpty = value.code === undefined && value.originalText === undefined && value.translations.length === 0;
  return isEmpty ? undefined : value;
}

/** How bad an unreadable time is: a decisive one refuses the document. */
export type TimeWeight = 'error' | 'warning';

export function readTime(reading: Reading, element: XmlElement | undefined, weight: TimeWeight): string | undefined {
  const ts = attribute(element, 'value');
  if (element === undefined || ts === undefined) return undefined;
  const result = readDateTime(ts, reading.zone);
  if (result.kind === 'invalid') {
    const text = 'date illisible : attendu AAAA[MM[JJ[HHMM[SS]]]] et un décalage ±HHMM';
    report(reading, { severity: weight, code: 'value', text }, element, '/@value');
    return undefined;
  }
  if (result.isOffsetAssumed) {
    const text = `heure sans décalage horaire, lue à l’heure de ${reading.zone}`;
    report(reading, { severity: 'information', code: 'incomplete', text }, element, '/@value');
  }
  if (result.isHourOnly) {
    const text = 'heure sans minutes, lue comme l’heure pleine';
    report(reading, { severity: 'information', code: 'incomplete', text }, element, '/@value');
  }
  return result.value;
}

export function readInterval(
  reading: Reading,
  element: XmlElement | undefined,
  weight: TimeWeight,
): TimeInterval | undefined {
  const point = readTime(reading, element, weight);
  if (point !== undefined) return { start: point, end: point };
  const start = readTime(reading, child(element, 'low'), weight);
  const end = readTime(reading, child(element, 'high'), weight);
  return start === undefined && end === undefined ? undefined : { start, end };
}

export function readName(element: XmlElement | undefined): PersonName | undefined {
  if (element === undefined) return undefined;
  const parts = (name: string): readonly NamePart[] =>
    children(element, name).flatMap((part) => {
      const text = textOf(part);
      return text === undefined ? [] : [{ text, qualifier: attribute(part, 'qualifier') }];
    });
  const texts = (name: string): readonly string[] => parts(name).map(({ text }) => text);
  const families = parts('family');
  const givens = parts('given');
  const text = families.length + givens.length === 0 ? textOf(element) : undefined;
  if (text === undefined && families.length + givens.length === 0) return undefined;
  return { families, givens, prefixes: texts('prefix'), suffixes: texts('suffix'), text };
}

export function readTelecoms(parent: XmlElement | undefined): readonly Telecom[] {
  return children(parent, 'telecom').flatMap((element) => {
    const value = attribute(element, 'value');
    return value === undefined ? [] : [{ value, use: attribute(element, 'use') }];
  });
}

export function readAddresses(parent: XmlElement | undefined): readonly PostalAddress[] {
  return children(parent, 'addr').flatMap((element) => readAddress(element) ?? []);
}

export function readAddress(element: XmlElement | undefined): PostalAddress | undefined {
  if (element === undefined) return undefined;
  const parts = element.children.flatMap((node) => {
    const text = isElement(node) ? textOf(node) : node.replace(/\s+/g, ' ').trim();
    return text ? [{ name: isElement(node) ? node.name : 'text', text }] : [];
  });
  return parts.length === 0 ? undefined : { use: attribute(element, 'use'), parts };
}

export function readOrganization(reading: Reading, element: XmlElement | undefined): OrganizationParty | undefined {
  if (element === undefined) return undefined;
  const organization: OrganizationParty = {
    ids: readIds(reading, element),
    name: textOf(child(element, 'name')),
    telecoms: readTelecoms(element),
    addresses: readAddresses(element),
    industry: readCode(child(element, 'standardIndustryClassCode')),
    partOf: readOrganization(reading, child(element, 'asOrganizationPartOf', 'wholeOrganization')),
  };
  const isEmpty = organization.ids.length === 0 && organization.name === undefined && organization.partOf === undefined;
  return isEmpty ? undefined : organization;
}
