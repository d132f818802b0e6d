/**
 * IHE XDM (ITI-32): entries of an archive -> its documents with what METADATA.XML says of them (ebRIM 3.0). Wrapping folders,
 * any case of names and both separators are taken, as they are met. A URI finds an entry of the same subset; it is never a path.
 */
import type { Issue } from '../base/index.ts';
import { readXdmEntry, slot, valuesOf, type XdmEntry } from './xdm-entry.ts';
import { xdsSchemes } from './xds.ts';
import { parseXml } from './xml.ts';
import { attribute, children, isElement, type XmlElement } from './xml-tree.ts';
import type { ZipEntry } from './zip.ts';

export interface XdmDocument {
  readonly bytes: Uint8Array;
  /** Hexadecimal SHA-1, as the metadata have it. */
  readonly hash: string | undefined;
  readonly size: number | undefined;
  /** `root` or `root^extension`. */
  readonly uniqueId: string | undefined;
  /** HL7 CX: `value^^^&authority&ISO`. */
  readonly patientId: string | undefined;
  /** `C` changes, `D` deletes; the slot is not named in public texts, so any whose name ends so is read. */
  readonly action: string | undefined;
  readonly isReplacement: boolean;
  /** All that is said of it. */
  readonly entry: XdmEntry;
}

export type XdmResult =
  | { readonly kind: 'documents'; readonly documents: readonly XdmDocument[] }
  | { readonly kind: 'refused'; readonly issues: readonly Issue[] };

const rim = 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0';
const metadataName = /(?:^|\/)SUBSET\d\d\/METADATA\.XML$/i;
const subsetsMax = 10;
const documentsMax = 50;

export function readXdm(entries: readonly ZipEntry[]): XdmResult {
  const found = entries.filter(({ name }) => metadataName.test(name));
  if (found.length === 0) return refused('required', 'l’archive n’a pas de METADATA.XML dans un dossier SUBSETnn');
  if (found.length > subsetsMax) return refused('too-costly', `plus de ${subsetsMax} lots`);
  const documents: XdmDocument[] = [];
  for (const metadata of found) {
    const subset = readSubset(metadata, entries);
    if (subset.kind === 'refused') return subset;
    documents.push(...subset.documents);
  }
  if (documents.length > documentsMax) return refused('too-costly', `plus de ${documentsMax} documents`);
  return documents.length === 0
    ? refused('required', 'l’archive ne décrit aucun document')
    : { kind: 'documents', documents };
}

function refused(code: string, text: string): XdmResult {
  return { kind: 'refused', issues: [{ severity: 'error', code, text }] };
}

function readSubset(metadata: ZipEntry, entries: readonly ZipEntry[]): XdmResult {
  const xml = parseXml(metadata.bytes);
  if (xml.kind === 'refused') return { kind: 'refused', issues: [xml.issue] };
  const objects = [...registryObjects(xml.root)];
  const sets = objects.filter(({ name }) => name === 'RegistryPackage' || name === 'Classification');
  if (new Set(sets.flatMap(submissionSetOf)).size > 1)
    return refused('structure', 'plus d’un lot de soumission dans METADATA.XML');
  const replacements = objects.filter(isReplacement);
  const folder = metadata.name.slice(0, metadata.name.lastIndexOf('/') + 1).toLowerCase();
  const own = new Map(
    entries.flatMap(({ name, bytes }) =>
      name.toLowerCase().startsWith(folder) ? [[name.slice(folder.length).toLowerCase(), bytes] as const] : [],
    ),
  );
  const documents: XdmDocument[] = [];
  for (const object of objects.filter(({ name }) => name === 'ExtrinsicObject')) {
    const bytes = bytesOf(object, own);
    if (bytes === undefined)
      return refused('not-found', 'un document décrit par METADATA.XML n’est pas dans l’archive');
    const said = replacements.filter((one) => attribute(one, 'sourceObject') === attribute(object, 'id'));
    const replaced = said.flatMap((one) => attribute(one, 'targetObject') ?? []);
    const entry = readXdmEntry(object, replaced);
    documents.push({ bytes, ...describe(object), isReplacement: said.length > 0, entry });
  }
  return { kind: 'documents', documents };
}

/** Objects of the registry list, wherever the request wraps it; nothing below them is one. */
function* registryObjects(element: XmlElement): Generator<XmlElement> {
  for (const node of element.children) {
    if (!isElement(node)) continue;
    if (node.namespace === rim && node.name !== 'RegistryObjectList') yield node;
    else yield* registryObjects(node);
  }
}

/** The package that is the submission set, said inside it or beside it. */
function submissionSetOf(object: XmlElement): string[] {
  const classified = [object, ...children(object, 'Classification')].filter(
    (one) => attribute(one, 'classificationNode') === xdsSchemes.submissionSet,
  );
  return classified.map((one) => attribute(one, 'classifiedObject') ?? attribute(object, 'id') ?? '');
}

function isReplacement(object: XmlElement): boolean {
  return object.name === 'Association' && (attribute(object, 'associationType') ?? '').endsWith(':RPLC');
}

/** By the URI; without one, the only document that the folder can mean. */
function bytesOf(object: XmlElement, own: ReadonlyMap<string, Uint8Array>): Uint8Array | undefined {
  const uri = slot(object, 'URI')
    ?.replaceAll('\\', '/')
    .replace(/^\d+\|/, '')
    .toLowerCase();
  if (uri !== undefined) return own.get(uri);
  const candidates = [...own].filter(([name]) => name.endsWith('.xml') && name !== 'metadata.xml');
  return candidates.length === 1 ? candidates[0]?.[1] : undefined;
}

function describe(object: XmlElement): Omit<XdmDocument, 'bytes' | 'isReplacement' | 'entry'> {
  const size = slot(object, 'size');
  const action = children(object, 'Slot').find((one) => /action$/i.test(attribute(one, 'name') ?? ''));
  return {
    hash: slot(object, 'hash'),
    size: size !== undefined && /^\d{1,12}$/.test(size) ? Number(size) : undefined,
    uniqueId: externalId(object, xdsSchemes.uniqueId),
    patientId: externalId(object, xdsSchemes.patientId),
    action: valuesOf(action)[0]?.toUpperCase(),
  };
}

function externalId(object: XmlElement, scheme: string): string | undefined {
  const found = children(object, 'ExternalIdentifier').find((one) => attribute(one, 'identificationScheme') === scheme);
  return attribute(found, 'value');
}
