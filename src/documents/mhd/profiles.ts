/** The canonicals of IHE MHD 4.2.3 and of PDSm 3.1.1, and what a resource claims of them. */
import type { Resource } from '../../fhir/index.ts';

const mhd = 'https://profiles.ihe.net/ITI/MHD/';
const pdsm = 'https://interop.esante.gouv.fr/ig/fhir/pdsm/';
export const mhdProfiles = `${mhd}StructureDefinition/`;
export const pdsmProfiles = `${pdsm}StructureDefinition/`;

/** From the fewest requirements to the most: each has those before it. */
export type Flavour = 'minimal' | 'uncontained' | 'comprehensive' | 'pdsm';
export const flavours: readonly Flavour[] = ['minimal', 'uncontained', 'comprehensive', 'pdsm'];

const submissions: ReadonlyMap<string, Flavour> = new Map([
  [`${mhdProfiles}IHE.MHD.Minimal.ProvideBundle`, 'minimal'],
  [`${mhdProfiles}IHE.MHD.UnContained.Comprehensive.ProvideBundle`, 'uncontained'],
  [`${mhdProfiles}IHE.MHD.Comprehensive.ProvideBundle`, 'comprehensive'],
  [`${pdsmProfiles}pdsm-comprehensive-provide-document-bundle`, 'pdsm'],
]);

function claimsOf({ meta }: Resource): readonly string[] {
  const { profile } = (meta ?? {}) as { readonly profile?: unknown };
  return Array.isArray(profile) ? profile.map((one) => String(one).split('|')[0] ?? '') : [];
}

/** A transaction is ITI-65 when its `meta.profile` says so, and else an ordinary one; the strictest claim counts. */
export function submissionFlavour(bundle: Resource): Flavour | undefined {
  const claimed = claimsOf(bundle).flatMap((claim) => submissions.get(claim) ?? []);
  return flavours.findLast((one) => claimed.includes(one));
}

export const simplifiedProfiles = {
  mhd: `${mhdProfiles}IHE.MHD.SimplifiedPublish.DocumentReference`,
  pdsm: `${pdsmProfiles}pdsm-simplified-publish`,
} as const;

/** A create is ITI-105 when its `meta.profile` says so. */
export function simplifiedFlavour(resource: Resource): 'mhd' | 'pdsm' | undefined {
  const claims = claimsOf(resource);
  if (claims.includes(simplifiedProfiles.pdsm)) return 'pdsm';
  return claims.includes(simplifiedProfiles.mhd) ? 'mhd' : undefined;
}

/** Whether the fiche is one that was published by IHE MHD or PDSm: then its rules hold for what changes it. */
export function isShared(resource: Resource): boolean {
  return claimsOf(resource).some((claim) => claim.startsWith(mhdProfiles) || claim.startsWith(pdsmProfiles));
}

/** What this server is, for CapabilityStatement.instantiates. */
export const documentSharing: readonly string[] = [
  `${mhd}CapabilityStatement/IHE.MHD.DocumentResponder`,
  ...['', '.Comprehensive', '.UnContained', '.Simplified', '.Generate', '.Fdoc'].map(
    (option) => `${mhd}CapabilityStatement/IHE.MHD.DocumentRecipient${option}`,
  ),
  `${pdsm}CapabilityStatement/PDSm-GestionnaireDePartageDeDocuments`,
];

/** Profiles of fiches, of submission sets and folders that are taken. */
export const supportedProfiles = {
  DocumentReference: [
    ...['Minimal', 'UnContained.Comprehensive', 'Comprehensive', 'SimplifiedPublish'].map(
      (name) => `${mhdProfiles}IHE.MHD.${name}.DocumentReference`,
    ),
    `${pdsmProfiles}pdsm-comprehensive-document-reference`,
    simplifiedProfiles.pdsm,
  ],
  List: [
    ...['Minimal', 'UnContained.Comprehensive', 'Comprehensive'].map(
      (name) => `${mhdProfiles}IHE.MHD.${name}.SubmissionSet`,
    ),
    ...['Minimal', 'Comprehensive'].map((name) => `${mhdProfiles}IHE.MHD.${name}.Folder`),
    `${pdsmProfiles}pdsm-submissionset-comprehensive`,
    `${pdsmProfiles}pdsm-folder-comprehensive`,
  ],
} as const;

export const generateMetadata = `${mhd}OperationDefinition/generate-metadata`;
export const listTypes = `${mhd}CodeSystem/MHDlistTypes`;
export const isArchivedExtension = `${pdsmProfiles}pdsm-ext-is-archived`;
export const sourceIdExtension = `${mhdProfiles}ihe-sourceId`;
export const designationExtension = `${mhdProfiles}ihe-designationType`;
