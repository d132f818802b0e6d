/**
 * Tree -> ClinicalDocument. What identifies the document (id, code, effectiveTime), its patient, its body and the
 * decisive dates must be there and right, else the document is refused with every fault found; what else the French
 * header demands and is missing is told as a warning.
 */
import type { Issue } from '../../base/index.ts';
import { attribute, child, children, isElement, textOf, type XmlElement, type XmlNode, xpath } from '../xml-tree.ts';
import { readBody } from './body.ts';
import { readEncounter, readEvents, readPatient, readRelatedDocuments } from './context.ts';
import type { ClinicalDocument } from './model.ts';
import { readParticipations } from './participation.ts';
import { type Fault, type Reading, readCode, readIds, readOrganization, readTime, report } from './reading.ts';

export const cdaNamespace = 'urn:hl7-org:v3';

export type ClinicalDocumentResult =
  | { readonly kind: 'document'; readonly document: ClinicalDocument; readonly issues: readonly Issue[] }
  | { readonly kind: 'refused'; readonly issues: readonly Issue[] };

export function readClinicalDocument(tree: XmlElement, zone: string): ClinicalDocumentResult {
  const root = findDocument(tree);
  const reading: Reading = { zone, issues: [] };
  const { issues } = reading;
  if (root === undefined) {
    const text = `la racine n’est pas ClinicalDocument de l’espace de noms ${cdaNamespace}`;
    report(reading, { severity: 'error', code: 'structure', text }, tree);
    return { kind: 'refused', issues };
  }
  refuseCrowds(reading, root);
  if (issues.length > 0) return { kind: 'refused', issues };
  const id = readIds(reading, root)[0];
  const code = readCode(child(root, 'code'));
  const effectiveTime = readTime(reading, child(root, 'effectiveTime'), 'error');
  const patient = readPatient(reading, root);
  const body = readBody(reading, root);
  const rest = readHeader(reading, root);
  reportMissing(reading, root, 'error', { id, code, effectiveTime });
  reportMissing(reading, root, 'warning', expected(rest));
  const isRefused = issues.some(({ severity }) => severity === 'error');
  if (isRefused || !id || !code || !effectiveTime || !patient || !body) return { kind: 'refused', issues };
  return { kind: 'document', document: { id, code, effectiveTime, patient, body, ...rest }, issues };
}

/** The document itself, or the one inside an "auto-présentable" file: a stylesheet that carries it and is never run. */
function findDocument(tree: XmlElement): XmlElement | undefined {
  const carried =
    tree.namespace === 'http://www.w3.org/1999/XSL/Transform' ? descend(tree, 'urn:asip-sante:ci-sis') : tree;
  const root = carried?.namespace === 'urn:asip-sante:ci-sis' ? descend(carried, cdaNamespace) : carried;
  return root?.name === 'ClinicalDocument' && root.namespace === cdaNamespace ? root : undefined;
}

function descend(element: XmlElement, namespace: string): XmlElement | undefined {
  return element.children.filter(isElement).find((node) => node.namespace === namespace);
}

/** The largest header among the official samples has 495 elements and 13 000 characters. */
const headerElementsMax = 5000;
const headerTextMax = 200_000;

/** A header is small; one that is not would cost its square where people are told apart, and fill plain text fields. */
function refuseCrowds(reading: Reading, root: XmlElement): void {
  const header = root.children.filter((node) => !isElement(node) || node.name !== 'component');
  let elements = 0;
  let length = 0;
  const count = (node: XmlNode): void => {
    if (!isElement(node)) {
      length += node.length;
      return;
    }
    elements++;
    for (const value of node.attributes.values()) length += value.length;
    node.children.forEach(count);
  };
  header.forEach(count);
  if (elements <= headerElementsMax && length <= headerTextMax) return;
  const text = `en-tête de plus de ${headerElementsMax} éléments ou ${headerTextMax} caractères`;
  report(reading, { severity: 'error', code: 'too-costly', text }, root);
}

type Header = Omit<ClinicalDocument, 'id' | 'code' | 'effectiveTime' | 'patient' | 'body'>;

function readHeader(reading: Reading, root: XmlElement): Header {
  return {
    templateIds: readIds(reading, root, 'templateId'),
    title: textOf(child(root, 'title')),
    confidentialityCodes: children(root, 'confidentialityCode').flatMap((element) => readCode(element) ?? []),
    language: attribute(child(root, 'languageCode'), 'code'),
    setId: readIds(reading, root, 'setId')[0],
    versionNumber: readVersion(reading, child(root, 'versionNumber')),
    authors: readParticipations(reading, root, 'author'),
    dataEnterer: readParticipations(reading, root, 'dataEnterer')[0],
    informants: readParticipations(reading, root, 'informant'),
    custodian: readOrganization(
      reading,
      child(root, 'custodian', 'assignedCustodian', 'representedCustodianOrganization'),
    ),
    recipients: readParticipations(reading, root, 'informationRecipient'),
    legalAuthenticator: readParticipations(reading, root, 'legalAuthenticator')[0],
    authenticators: readParticipations(reading, root, 'authenticator'),
    participants: readParticipations(reading, root, 'participant'),
    orders: children(root, 'inFulfillmentOf').flatMap((order) => readIds(reading, child(order, 'order'))),
    events: readEvents(reading, root),
    relatedDocuments: readRelatedDocuments(reading, root),
    encounter: readEncounter(reading, root),
  };
}

function readVersion(reading: Reading, element: XmlElement | undefined): number | undefined {
  const value = attribute(element, 'value');
  if (element === undefined || value === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  const text = 'numéro de version qui n’est pas un entier positif';
  report(reading, { severity: 'warning', code: 'value', text }, element, '/@value');
  return undefined;
}

/** What the French header demands besides what identifies the document, by element name. */
function expected(header: Header): Record<string, unknown> {
  return {
    title: header.title,
    confidentialityCode: header.confidentialityCodes[0],
    setId: header.setId,
    versionNumber: header.versionNumber,
    author: header.authors[0],
    custodian: header.custodian,
    legalAuthenticator: header.legalAuthenticator,
    documentationOf: header.events[0],
    componentOf: header.encounter,
  };
}

function reportMissing(
  reading: Reading,
  root: XmlElement,
  severity: Fault['severity'],
  values: Record<string, unknown>,
): void {
  for (const [name, value] of Object.entries(values)) {
    const isKnown = reading.issues.some(({ expression }) => expression?.startsWith(`${xpath(root)}/${name}`));
    const text = 'élément obligatoire absent ou vide';
    if (value === undefined && !isKnown) report(reading, { severity, code: 'required', text }, root, `/${name}`);
  }
}
