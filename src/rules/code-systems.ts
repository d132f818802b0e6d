/** The code systems that rules and senders share (design.md section 5), and the variables under which rules see them. */
const base = 'https://suture.example/fhir/CodeSystem/';

export const breakRuleSystem = `${base}break-rule`;

const orientation = `${base}orientation`;
const act = `${base}act`;
const conclusion = `${base}conclusion`;
const score = `${base}score`;
const visit = `${base}visit`;

/** The French names are those of the published catalogue of break rules, from which authors copy expressions. */
export const codeSystemVariables: Readonly<Record<string, string>> = {
  cs_break_rule: breakRuleSystem,
  cs_orientation: orientation,
  cs_act: act,
  cs_conclusion: conclusion,
  cs_score: score,
  cs_visit: visit,
  cs_rupture: breakRuleSystem,
  cs_acte: act,
  cs_venue: visit,
};

/** Roles that the focus itself names: who asked, who performs, who wrote. */
export const focusRoleSystem = `${base}focus-role`;

/** French national nomenclatures (NOS) that name the roles around a patient. */
export const participationFunctions =
  'https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction';
export const careRoles = 'https://mos.esante.gouv.fr/NOS/TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge';

/** The patient's GP (médecin traitant). */
export const primaryCarePhysician = { system: participationFunctions, code: 'PCP' };
/** Coordonnateur de parcours. */
export const pathwayCoordinator = { system: careRoles, code: '330' };
