/** Finding one's way in the sections of a letter (LOINC codes) and in their entries (codes of the ANS terminology). */
import {
  attribute,
  type Body,
  type CodedValue,
  child,
  plainText,
  readCode,
  type Section,
  type XmlElement,
} from '../formats/index.ts';
import { oids } from './codes.ts';

export const sectionCodes = {
  reason: '42349-1',
  outcome: '42545-4',
  dischargeDrugs: '10183-2',
  stoppedDrugs: '18610-6',
  admissionDrugs: '42346-7',
  awaitedResults: '30954-2',
  carePlan: '18776-5',
  devices: '46264-8',
  allergies: '48765-2',
  status: '33557-0',
  medicalHistory: '11348-0',
  surgicalHistory: '47519-4',
} as const;

/** Entries of the section "Synthèse médicale du séjour". */
export const entryCodes = {
  admissionMode: 'ORG-070',
  dischargeMode: 'ORG-074',
  documentStatus: 'GEN-065',
  adverseEvents: 'MED-143',
  resistantOrganismsSought: 'MED-309',
  transfusion: 'MED-145',
  bloodProducts: 'MED-147',
} as const;

export function findSection(body: Body, code: string): Section | undefined {
  if (body.kind !== 'structured') return undefined;
  return allSections(body.sections).find(
    (section) => section.code?.system === oids.loinc && section.code.code === code,
  );
}

function allSections(sections: readonly Section[]): readonly Section[] {
  return sections.flatMap((section) => [section, ...allSections(section.sections)]);
}

/** The section says something, in words or in entries. */
export function isFilled(section: Section | undefined): boolean {
  return section !== undefined && (section.entries.length > 0 || (section.text !== undefined && hasText(section.text)));
}

function hasText(node: XmlElement | string): boolean {
  return typeof node === 'string' ? /\S/.test(node) : node.children.some(hasText);
}

export function sectionText(section: Section | undefined, lengthMax: number): string | undefined {
  return section?.text && plainText(section.text, lengthMax);
}

export function findEntry(section: Section | undefined, code: string): XmlElement | undefined {
  return section?.entries.find((entry) => attribute(child(entry, 'code'), 'code') === code);
}

export function entryValue(section: Section | undefined, code: string): CodedValue | undefined {
  return readCode(child(findEntry(section, code), 'value'));
}
