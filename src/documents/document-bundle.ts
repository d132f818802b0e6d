/**
 * A Paper as a FHIR document (https://hl7.org/fhir/R4/documents.html): the Composition first, then what it names, each once, under
 * absolute URLs of this server. The narrative of a section is what the page says.
 */
import type { Bundle, Composition, Patient, Reference } from 'fhir/r4.js';
import type { Resource } from '../fhir/index.ts';
import { escapeXml } from '../formats/index.ts';
import { uuidOf } from './names.ts';
import type { Paper, PaperSection } from './paper.ts';
import type { Found } from './summaries.ts';

export interface DocumentSetting {
  /** What it is a document of, `Type/id/version`. */
  readonly of: string;
  readonly subject: Reference;
  /** Undefined: this server itself, as a device. */
  readonly author: Reference | undefined;
  readonly baseUrl: string;
  /** Instant. */
  readonly at: string;
}

export function documentBundle(paper: Paper, found: Found, setting: DocumentSetting): Bundle {
  const { of, baseUrl, at } = setting;
  const id = uuidOf(`document of ${baseUrl}/${of} at ${at}`);
  const device = { resourceType: 'Device', id: 'suture', deviceName: [{ name: 'Suture', type: 'model-name' }] };
  const composition: Composition = {
    resourceType: 'Composition',
    id,
    status: 'final',
    type: paper.type,
    subject: setting.subject,
    date: at,
    author: [setting.author ?? { reference: 'Device/suture' }],
    title: paper.title,
    confidentiality: 'N',
    section: paper.sections.map(sectionOf),
  };
  const named = [
    setting.subject,
    ...composition.author,
    ...(composition.section ?? []).flatMap(({ entry = [] }) => entry),
  ];
  const resources = named.flatMap(({ reference = '' }) =>
    reference === 'Device/suture' ? device : (found.get(reference) ?? []),
  );
  const once = new Map([composition, ...resources].map((one) => [`${one.resourceType}/${one.id}`, one as Resource]));
  return {
    resourceType: 'Bundle',
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${id}` },
    type: 'document',
    timestamp: at,
    entry: [...once].map(([reference, resource]) => ({ fullUrl: `${baseUrl}/${reference}`, resource })),
  } as unknown as Bundle;
}

function sectionOf({ title, lines, entries }: PaperSection): NonNullable<Composition['section']>[number] {
  const items = lines.map((text) => `<li>${escapeXml(text)}</li>`).join('');
  return {
    title,
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><ul>${items}</ul></div>` },
    ...(entries.length === 0 ? {} : { entry: entries.map((reference) => ({ reference })) }),
  };
}

/** How a page names the patient: names, birth date, INS. */
export function patientLines(patient: Patient | undefined): readonly string[] {
  if (patient === undefined) return [];
  const { name = [], birthDate, identifier = [] } = patient;
  const shown = name.find(({ use }) => use === 'official') ?? name[0];
  const born = birthDate?.split('-').reverse().join('/');
  const ins = identifier.find(({ system = '' }) => system.startsWith('urn:oid:1.2.250.1.213.1.4.'))?.value;
  return [
    nameText(shown),
    ...(born === undefined ? [] : [`Né(e) le ${born}`]),
    ...(ins === undefined ? [] : [`INS ${ins}`]),
  ].filter((text) => text !== '');
}

function nameText({ family, given = [], text = '' }: NonNullable<Patient['name']>[number] = {}): string {
  return [family, ...given].filter((part) => part !== undefined).join(' ') || text;
}
