/**
 * Who may see a letter: one confidentiality (N, R, V) and any masks of the DMP, from the CDA and from the carrier.
 * Whatever is missing, doubled or unknown is taken at its strictest, and told.
 */
import type { Coding, DocumentReference } from 'fhir/r4.js';
import type { CodedValue } from '../formats/index.ts';
import { codeSystems, oids } from './codes.ts';
import type { Finding } from './plan.ts';

const confidentialities: ReadonlyMap<string, string> = new Map([
  ['N', 'normal'],
  ['R', 'restricted'],
  ['V', 'very restricted'],
]);

const masks: ReadonlyMap<string, string> = new Map([
  ['MASQUE_PS', 'Masqué aux professionnels de santé'],
  ['INVISIBLE_PATIENT', 'Non visible par le patient'],
  ['INVISIBLE_REPRESENTANTS_LEGAUX', 'Non visible par représentants légaux du patient'],
]);

/** The HL7 v2 flag is spelt otherwise. */
const aliases: ReadonlyMap<string, string> = new Map([['INVISIBLE_REP_LEGAUX', 'INVISIBLE_REPRESENTANTS_LEGAUX']]);

export interface Labels {
  readonly codings: readonly Coding[];
  readonly findings: readonly Finding[];
}

/** `visibility`: mask codes that came outside of the document (HL7 v2 flags, XDS metadata). */
export function readLabels(codes: readonly CodedValue[], visibility: readonly string[]): Labels {
  const isMask = ({ system }: CodedValue) => system === oids.visibility;
  const levels = codes.filter((code) => !isMask(code));
  const asked = [...codes.filter(isMask).map(({ code = '' }) => code), ...visibility];
  const level = levels[0]?.system === oids.confidentiality && levels.length === 1 ? levels[0].code : undefined;
  const known = level !== undefined && confidentialities.has(level) ? level : undefined;
  const names = asked.map((code) => aliases.get(code) ?? code);
  const hasStranger = names.some((code) => !masks.has(code));
  const applied = [...masks.keys()].filter((code) => hasStranger || names.includes(code));
  return {
    codings: [confidentiality(known ?? 'V'), ...applied.map(mask)],
    findings: [...(known === undefined ? [assumed('V')] : []), ...(hasStranger ? [assumed('tous les masques')] : [])],
  };
}

/** The masks that lie on a letter. */
export function masksIn({ securityLabel = [] }: Pick<DocumentReference, 'securityLabel'>): readonly Coding[] {
  return securityLabel.flatMap(({ coding = [] }) => coding.filter(({ system }) => system === codeSystems.visibility));
}

function confidentiality(code: string): Coding {
  return { system: codeSystems.confidentiality, code, display: confidentialities.get(code) ?? code };
}

function mask(code: string): Coding {
  return { system: codeSystems.visibility, code, display: masks.get(code) ?? code };
}

function assumed(strictest: string): Finding {
  const text = `confidentialité absente, double ou inconnue : la plus stricte est appliquée (${strictest})`;
  return {
    code: 'confidentiality-assumed',
    severity: 'warning',
    text,
    expression: '/ClinicalDocument/confidentialityCode',
  };
}

/** More than the everyday confidentiality of care: then everything drawn from the letter is labelled too. */
export function isRestricted(codings: readonly Coding[]): boolean {
  return codings.length !== 1 || codings[0]?.code !== 'N';
}
