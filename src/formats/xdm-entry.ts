/**
 * One document of METADATA.XML (an ExtrinsicObject of ebRIM 3.0) -> what it says of it in words of XDS (ITI TF-3 section 4.2): the
 * way back of `xdm-metadata.ts`. The MIME type is in lower case, without parameters.
 */
import { originSlot, type XdsAuthor, type XdsCode, type XdsDescription, xdsSchemes } from './xds.ts';
import { attribute, child, children, textOf, type XmlElement } from './xml-tree.ts';

export interface XdmEntry extends XdsDescription {
  /** `urn:uuid:...`; another form is a name inside METADATA.XML and means nothing outside. */
  readonly entryUuid: string | undefined;
}

/** `replaces`: what the associations of the archive say of this object. */
export function readXdmEntry(object: XmlElement, replaces: readonly string[]): XdmEntry {
  const code = (scheme: string) => codesOf(object, scheme)[0];
  const id = attribute(object, 'id') ?? '';
  return {
    entryUuid: /^urn:uuid:[0-9a-f-]{36}$/i.test(id) ? id.toLowerCase() : undefined,
    mimeType: ((attribute(object, 'mimeType') ?? '').split(';')[0] ?? '').trim().toLowerCase(),
    title: localized(child(object, 'Name')),
    description: localized(child(object, 'Description')),
    languageCode: slot(object, 'languageCode'),
    creationTime: slot(object, 'creationTime'),
    serviceStartTime: slot(object, 'serviceStartTime'),
    serviceStopTime: slot(object, 'serviceStopTime'),
    sourcePatientId: slot(object, 'sourcePatientId'),
    sourcePatientInfo: slotValues(object, 'sourcePatientInfo'),
    authors: classified(object, xdsSchemes.author).map(authorOf),
    legalAuthenticator: slot(object, 'legalAuthenticator'),
    classCode: code(xdsSchemes.classCode),
    typeCode: code(xdsSchemes.typeCode),
    formatCode: code(xdsSchemes.formatCode),
    facilityType: code(xdsSchemes.facilityType),
    practiceSetting: code(xdsSchemes.practiceSetting),
    events: codesOf(object, xdsSchemes.event),
    confidentiality: codesOf(object, xdsSchemes.confidentiality),
    replaces,
    origin: slot(object, originSlot),
  };
}

export function slotValues(object: XmlElement, name: string): readonly string[] {
  const found = children(object, 'Slot').find((one) => attribute(one, 'name') === name);
  return valuesOf(found);
}

export function slot(object: XmlElement, name: string): string | undefined {
  return slotValues(object, name)[0];
}

/** The texts of a Slot. */
export function valuesOf(found: XmlElement | undefined): readonly string[] {
  return children(found, 'ValueList').flatMap((list) =>
    children(list, 'Value').flatMap((value) => textOf(value) ?? []),
  );
}

function classified(object: XmlElement, scheme: string): readonly XmlElement[] {
  return children(object, 'Classification').filter((one) => attribute(one, 'classificationScheme') === scheme);
}

function codesOf(object: XmlElement, scheme: string): readonly XdsCode[] {
  return classified(object, scheme).flatMap((one) => {
    const code = attribute(one, 'nodeRepresentation');
    if (code === undefined || code === '') return [];
    const name = localized(child(one, 'Name'));
    // Writers without a name put the code there, which ebRIM wants to have one.
    return [{ code, system: slot(one, 'codingScheme') ?? '', display: name === code ? undefined : name }];
  });
}

function authorOf(one: XmlElement): XdsAuthor {
  return {
    person: slot(one, 'authorPerson'),
    institutions: slotValues(one, 'authorInstitution'),
    role: slot(one, 'authorRole'),
    specialty: slot(one, 'authorSpecialty'),
  };
}

function localized(name: XmlElement | undefined): string | undefined {
  return attribute(child(name, 'LocalizedString'), 'value') || undefined;
}
