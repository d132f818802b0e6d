/** HL7 v2 ADT messages of a hospital, as IHE PAM France has them. */
export interface AdtParts {
  readonly event: string;
  /** EVN-2, HL7 time. */
  readonly recorded: string;
  /** EVN-6 and ZBE-2. */
  readonly occurred?: string;
  readonly ipp?: string;
  readonly ins?: string;
  readonly family?: string;
  readonly given?: string;
  readonly birthDate?: string;
  readonly gender?: string;
  readonly reliability?: string;
  readonly died?: string;
  /** PV1-19; '' = no PV1. */
  readonly stay?: string;
  readonly class?: string;
  readonly unit?: string;
  readonly movement?: string;
  readonly action?: string;
  readonly left?: string;
  readonly admitted?: string;
  readonly discharged?: string;
  readonly prior?: string;
  readonly controlId?: string;
  /** RPPS of the médecin traitant. */
  readonly gp?: string;
}

const authority = 'CHVA&990000017&M';

export function adtOf(parts: AdtParts): string {
  const { event, recorded, occurred = recorded, ipp = '004217', ins = '258059999900193', stay = 'S-77001' } = parts;
  const { family = 'KERDONCUFF', given = 'SOLENE', birthDate = '19580514', gender = 'F', reliability = 'VALI' } = parts;
  const { unit = '6268', movement = `${event}-${recorded}`, action = 'INSERT', class: kind = 'I' } = parts;
  const { left = '', admitted = '', discharged = '', controlId = `C-${event}-${recorded}`, died = '' } = parts;
  const matricule = ins === '' ? '' : `~${ins}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS`;
  const pid = new Array<string>(33).fill('');
  Object.assign(pid, {
    0: 'PID',
    1: '1',
    3: `${ipp}^^^${authority}^PI${matricule}`,
    5: `${family}^${given}^${given} ANNE-MARIE^^^^L`,
  });
  Object.assign(pid, {
    7: birthDate,
    8: gender,
    11: '4 RUE DU PORT^^BREST^^29200^FRA^H~^^BREST^^^FRA^BDL^^29019',
    13: '^PRN^PH^^^^^^^^^0298000000',
  });
  Object.assign(pid, { 29: died, 30: died === '' ? 'N' : 'Y', 32: reliability });
  const pv1 = new Array<string>(46).fill('');
  Object.assign(pv1, {
    0: 'PV1',
    1: '1',
    2: kind,
    3: `^101^2^${authority}`,
    4: 'R',
    36: left,
    44: admitted,
    45: discharged,
  });
  Object.assign(pv1, {
    7: '10100000017^LE GOFF^Nolwenn^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^L^^^RPPS',
    19: `${stay}^^^${authority}^VN`,
  });
  const isOfStay = stay !== '';
  return [
    `MSH|^~\\&|GAM|CHVA|SUTURE|TERRITOIRE|${recorded}||ADT^${event}^ADT_A01|${controlId}|P|2.5^FRA^2.11|||||FRA|UNICODE UTF-8`,
    `EVN||${recorded}||||${occurred}`,
    pid.join('|'),
    ...(parts.gp === undefined
      ? []
      : [`ROL||UC|ODRP|${parts.gp}^CREAC'H^Yann^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^L^^^RPPS`]),
    ...(parts.prior === undefined ? [] : [`MRG|${parts.prior}^^^${authority}^PI`]),
    ...(isOfStay ? [pv1.join('|')] : []),
    ...(isOfStay
      ? [`ZBE|${movement}^CHVA^990000017|${occurred}||${action}|N||Médecine ${unit}^^^^^${authority}^UF^^^${unit}||HMS`]
      : []),
    'ZFA|ACTIF|20260301',
  ].join('\r');
}
