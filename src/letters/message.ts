/**
 * HL7 v2 messages that carry CDA (ANS "Transmission d'un document CDA R2 en HL7v2"): MDM^T02, T10, T04 and ORU^R01 -> their
 * letters. Event, ORC-1 and OBX-11 must say the same; PID, TXA and OBX-3 are claims that the document must agree with; flag OBX
 * carry the masks, and what is spelt in another way than Y or N masks. Z segments and what else a message holds is left alone.
 */
import type { Issue } from '../base/index.ts';
import {
  componentOf,
  decodeBase64,
  type Hl7Message,
  type Hl7Segment,
  repetitionsOf,
  segmentsOf,
  valueOf,
} from '../formats/index.ts';
import type { CarriedLetter, CarrierResult } from './carrier.ts';
import { insAuthority } from './ins.ts';
import type { LetterClaims } from './plan.ts';

type Act = 'new' | 'replace' | 'withdraw';

const events: ReadonlyMap<string, Act | 'by-order'> = new Map([
  ['MDM^T02', 'new'],
  ['MDM^T10', 'replace'],
  ['MDM^T04', 'withdraw'],
  ['ORU^R01', 'by-order'],
]);
const orders: ReadonlyMap<string, Act> = new Map([
  ['NW', 'new'],
  ['RO', 'replace'],
  ['CA', 'withdraw'],
]);
const results: ReadonlyMap<string, Act> = new Map([
  ['F', 'new'],
  ['C', 'replace'],
  ['D', 'withdraw'],
]);

export function openMessage(message: Hl7Message): CarrierResult {
  const header = message.segments[0];
  const event = events.get(`${valueOf(message, header, 9)}^${valueOf(message, header, 9, 2)}`);
  if (event === undefined)
    return review(
      'not-supported',
      'message qui ne porte pas de document : attendu MDM^T02, T10, T04 ou ORU^R01',
      'MSH-9',
    );
  const documents = segmentsOf(message, 'OBX').filter((segment) => isDocument(message, segment));
  if (documents.length === 0) return review('required', 'le message ne porte aucun document CDA', 'OBX-5');
  const reasons = [...patientDoubts(message), ...flagDoubts(message)];
  const letters = documents.flatMap((segment): CarriedLetter[] => {
    const letter = letterOf(message, segment, event);
    if ('bytes' in letter) return [letter];
    reasons.push(letter);
    return [];
  });
  return reasons.length > 0 ? { kind: 'review', reasons } : { kind: 'letters', letters };
}

function review(code: string, text: string, expression: string): CarrierResult {
  return { kind: 'review', reasons: [issue(code, text, expression)] };
}

function issue(code: string, text: string, expression: string): Issue {
  return { severity: 'error', code, text, expression };
}

/** Encapsulated XML; the texts of accompanying mails are encapsulated too, and are no documents. */
function isDocument(message: Hl7Message, segment: Hl7Segment): boolean {
  const isXml = valueOf(message, segment, 5, 3).toUpperCase() === 'XML';
  return valueOf(message, segment, 2) === 'ED' && isXml && !valueOf(message, segment, 3).startsWith('CORPSMAIL');
}

function letterOf(message: Hl7Message, segment: Hl7Segment, event: Act | 'by-order'): CarriedLetter | Issue {
  const said = [
    event === 'by-order' ? undefined : event,
    orders.get(valueOf(message, segmentsOf(message, 'ORC')[0], 1)),
    results.get(valueOf(message, segment, 11)),
  ].filter((act) => act !== undefined);
  if (new Set(said).size !== 1) {
    return issue(
      'conflict',
      'l’événement, ORC-1 et OBX-11 ne disent pas le même acte (création, remplacement, suppression)',
      'OBX-11',
    );
  }
  const isBase64 = valueOf(message, segment, 5, 4).toUpperCase() === 'BASE64';
  const bytes = isBase64 ? decodeBase64(valueOf(message, segment, 5, 5)) : undefined;
  if (bytes === undefined) return issue('value', 'le document n’est pas du base64 valide', 'OBX-5');
  return {
    bytes,
    claims: { ...claimsOf(message, segment), ...(said[0] === 'replace' && { replaces: replacedBy(message) }) },
    visibility: masksOf(message),
    isWithdrawal: said[0] === 'withdraw',
  };
}

/** TXA-13, which a replacement must have; ORU has no TXA, and there the document alone says what it replaces. */
function replacedBy(message: Hl7Message): string {
  const txa = segmentsOf(message, 'TXA')[0];
  const [id, authority] = [valueOf(message, txa, 13), valueOf(message, txa, 13, 3)];
  return id === '' || authority === '' ? id : `${authority}^${id}`;
}

function claimsOf(message: Hl7Message, segment: Hl7Segment): LetterClaims {
  const pid = segmentsOf(message, 'PID')[0];
  const txa = segmentsOf(message, 'TXA')[0];
  const [ins] = insOf(message);
  // EI: `root`, or `extension^^root^ISO`; official messages put the name of the sender into the second component.
  const [id, authority] = [valueOf(message, txa, 12), valueOf(message, txa, 12, 3)];
  const typeCode = valueOf(message, segment, 3);
  const birthDate = valueOf(message, pid, 7).slice(0, 8);
  return {
    uniqueId: id === '' ? undefined : authority === '' ? id : `${authority}^${id}`,
    patientId: ins && `${ins.value}^^^&${ins.oid}&ISO`,
    patientNumbers: numbersOf(message),
    typeCode: typeCode === '' ? undefined : typeCode,
    birthDate: /^\d{8}$/.test(birthDate) ? birthDate.replace(/(....)(..)(..)/, '$1-$2-$3') : undefined,
    from: 'le message HL7v2',
  };
}

/** Numbers that are no INS, as CX. */
function numbersOf(message: Hl7Message): readonly string[] {
  return repetitionsOf(message, segmentsOf(message, 'PID')[0], 3).flatMap((cx) => {
    const [value, oid] = [componentOf(message, cx, 1), componentOf(message, cx, 4, 2)];
    return value === '' || oid === '' || insAuthority(`urn:oid:${oid}`) !== undefined ? [] : [`${value}^^^&${oid}&ISO`];
  });
}

function insOf(message: Hl7Message): { readonly value: string; readonly oid: string }[] {
  return repetitionsOf(message, segmentsOf(message, 'PID')[0], 3).flatMap((cx) => {
    const oid = componentOf(message, cx, 4, 2);
    return insAuthority(`urn:oid:${oid}`) === undefined ? [] : [{ value: componentOf(message, cx, 1), oid }];
  });
}

/** Row L10. */
function patientDoubts(message: Hl7Message): Issue[] {
  if (segmentsOf(message, 'PID').length !== 1) return [issue('structure', 'un message porte un seul patient', 'PID')];
  const values = new Set(insOf(message).map(({ value }) => value));
  const reliability = repetitionsOf(message, segmentsOf(message, 'PID')[0], 32);
  const isUnqualified = values.size > 0 && reliability.length > 0 && !reliability.includes('VALI');
  return [
    ...(values.size > 1 ? [issue('conflict', 'plusieurs matricules INS', 'PID-3')] : []),
    ...(isUnqualified
      ? [issue('business-rule', 'une INS sous une identité qui n’est pas validée (PID-32)', 'PID-32')]
      : []),
  ];
}

const maskFlags: ReadonlySet<string> = new Set(['MASQUE_PS', 'INVISIBLE_PATIENT', 'INVISIBLE_REP_LEGAUX']);
const otherFlags =
  /^(?:CONNEXION_SECRETE|MODIF_CONF_CODE|DESTDMP|DESTMSSANTEPS|DESTMSSANTEPAT|ACK_RECEPTION|ACK_LECTURE(?:_MSS)?|CORPSMAIL_PS|CORPSMAIL_PATIENT)$/;

interface Flag {
  readonly code: string;
  readonly value: string;
}

function flagsOf(message: Hl7Message): Flag[] {
  return segmentsOf(message, 'OBX')
    .filter((segment) => valueOf(message, segment, 3, 3) === 'MetaDMPMSS')
    .map((segment) => ({ code: valueOf(message, segment, 3), value: valueOf(message, segment, 5) }));
}

/** Row L11: only a mask that says N, in so many letters, is none; a flag of another name is taken for one that nobody knows. */
function masksOf(message: Hl7Message): string[] {
  return flagsOf(message).flatMap(({ code, value }) => {
    if (maskFlags.has(code)) return value === 'N' ? [] : value === 'Y' ? [code] : [`${code}?`];
    return otherFlags.test(code) ? [] : [`${code}?`];
  });
}

/** A document that the patient must not see is not sent to the patient. */
function flagDoubts(message: Hl7Message): Issue[] {
  const isOn = (code: string) => flagsOf(message).some((flag) => flag.code === code && flag.value === 'Y');
  if (!isOn('INVISIBLE_PATIENT') || !isOn('DESTMSSANTEPAT')) return [];
  return [issue('conflict', 'document invisible au patient et destiné au patient', 'OBX-5')];
}
