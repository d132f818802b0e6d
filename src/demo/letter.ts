/** A discharge letter (CDA R2, LDL-SES) of the synthetic hospital, with the header that the national guide asks for. */
import type { Person } from './people.ts';

export interface Letter {
  readonly person: Person;
  readonly admitted: number;
  readonly discharged: number;
  readonly written: number;
}

/** Root of the OIDs of this invented hospital: the example arc of the national tree. */
const root = '1.2.250.1.999.1.1';

export function letterText({ person, admitted, discharged, written }: Letter): string {
  const number = person.id.replace(/\D/g, '');
  const author = professional('10100000300', 'Montferrand', 'Camille');
  return `<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <realmCode code="FR"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="2.16.840.1.113883.2.8.2.1"/>
  <templateId root="1.2.250.1.213.1.1.1.1"/>
  <templateId root="1.2.250.1.213.1.1.1.29" extension="2022.01"/>
  <id root="${root}.${Number(number) + 1}.1"/>
  <code code="11490-0" codeSystem="2.16.840.1.113883.6.1" displayName="Lettre de liaison à la sortie d'un établissement de soins"/>
  <title>Lettre de liaison à la sortie</title>
  <effectiveTime value="${time(written)}"/>
  <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25" displayName="Normal"/>
  <languageCode code="fr-FR"/>
  <setId root="${root}.${Number(number) + 1}"/>
  <versionNumber value="1"/>
  <recordTarget>
    <patientRole>
      <id root="1.2.250.1.213.1.4.10" extension="${person.ins}"/>
      <patient>
        <name><given>${person.given}</given><given qualifier="BR">${person.given}</given><family qualifier="BR">${person.family}</family></name>
        <administrativeGenderCode code="${person.gender === 'female' ? 'F' : 'M'}" codeSystem="2.16.840.1.113883.5.1"/>
        <birthTime value="${person.birthDate.replaceAll('-', '')}"/>
        <birthplace><place><addr><county>99100</county></addr></place></birthplace>
      </patient>
    </patientRole>
  </recordTarget>
  <author>
    <time value="${time(written)}"/>
    <assignedAuthor>${author}${organization()}</assignedAuthor>
  </author>
  <custodian><assignedCustodian><representedCustodianOrganization>
    <id root="1.2.250.1.71.4.2.2" extension="1010099901"/><name>Centre hospitalier de la Valserine</name>
  </representedCustodianOrganization></assignedCustodian></custodian>
  <legalAuthenticator>
    <time value="${time(written)}"/><signatureCode code="S"/>
    <assignedEntity>${author}</assignedEntity>
  </legalAuthenticator>
  <documentationOf><serviceEvent>
    <effectiveTime><low value="${time(admitted)}"/><high value="${time(discharged)}"/></effectiveTime>
    <performer typeCode="PRF"><assignedEntity>${author}
      <representedOrganization>
        <id root="1.2.250.1.71.4.2.2" extension="1010099901"/><name>Centre hospitalier de la Valserine</name>
        <standardIndustryClassCode code="ETABLISSEMENT" codeSystem="1.2.250.1.213.1.1.4.9" displayName="Établissement de santé"/>
      </representedOrganization></assignedEntity></performer>
  </serviceEvent></documentationOf>
  <componentOf><encompassingEncounter>
    <id root="${root}" extension="${person.id}-stay"/>
    <effectiveTime><low value="${time(admitted)}"/><high value="${time(discharged)}"/></effectiveTime>
    <location><healthCareFacility>
      <id root="1.2.250.1.71.4.2.2" extension="1010099901"/>
      <code code="SA01" codeSystem="1.2.250.1.71.4.2.4" displayName="Établissement public de santé"/>
    </healthCareFacility></location>
  </encompassingEncounter></componentOf>
${bodyText()}</ClinicalDocument>
`;
}

/** Narrative only: what the rules need stands in the header. */
function bodyText(): string {
  return `  <component><structuredBody>
    <component><section>
      <code code="42349-1" codeSystem="2.16.840.1.113883.6.1" displayName="Motif d'hospitalisation"/>
      <title>Motif de l'hospitalisation</title>
      <text><paragraph>Chirurgie programmée dans le cadre du programme personnalisé de soins.</paragraph></text>
    </section></component>
  </structuredBody></component>
`;
}

function professional(rpps: string, family: string, given: string): string {
  return `<id root="1.2.250.1.71.4.2.1" extension="8${rpps}"/>
      <code code="G15_10/SM36" codeSystem="1.2.250.1.213.1.1.4.5" displayName="Médecin - Oncologie, option médicale"/>
      <assignedPerson><name><family>${family}</family><given>${given}</given></name></assignedPerson>`;
}

function organization(): string {
  return `<representedOrganization><id root="1.2.250.1.71.4.2.2" extension="1010099901"/><name>Centre hospitalier de la Valserine</name></representedOrganization>`;
}

/** HL7 TS in UTC, to the second. */
function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}+0000`;
}
