/**
 * A document as MSSanté mail (Référentiel socle MSSanté #2, requirements ECO.2.1 to ECO.2.4): subject, X-MSS headers, text, the
 * XDM archive and, where there is one, the document as PDF. One mail is about one patient.
 */
import type { MailToWrite } from '../formats/index.ts';
import { type OutgoingDocument, patientIds, patientOf } from './outgoing.ts';
import { nameOf } from './xds-terms.ts';

export interface MssanteSetting {
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  readonly sentAtMs: number;
  /** X-MSS-NIL: number of the software. */
  readonly softwareNumber: string | undefined;
  /** A person's own words, before the standing text. */
  readonly text: string | undefined;
  /** To a patient's mailbox: he may not answer. */
  readonly isLast: boolean;
  readonly archive: Uint8Array;
  readonly pdf: Uint8Array | undefined;
}

/** Of a label in a subject, ECO.2.1.3. */
const labelLengthMax = 40;

export function describeMail(document: OutgoingDocument, setting: MssanteSetting): MailToWrite {
  const { from, to, messageId, sentAtMs, archive, pdf } = setting;
  const { type } = document.reference;
  const code = type?.coding?.find((coding) => coding.code !== undefined)?.code;
  const isQualified = patientIds(document).some((id) => id.isQualified);
  return {
    messageId,
    from,
    to,
    sentAtMs,
    subject: subjectOf(document),
    text: textOf(document, setting.text),
    headers: {
      ...(code === undefined ? {} : { 'X-MSS-CODECDA': code }),
      'X-MSS-INS': isQualified ? 'O' : 'N',
      ...(setting.softwareNumber === undefined ? {} : { 'X-MSS-NIL': setting.softwareNumber }),
      ...(setting.isLast ? { 'X-MSS-MES': 'FIN' } : {}),
      // RFC 8098: who is to be told that the mail was read or taken.
      'Disposition-Notification-To': `<${from}>`,
    },
    attachments: [
      { name: 'IHE_XDM.zip', contentType: 'application/zip', bytes: archive },
      ...(pdf === undefined ? [] : [{ name: pdfName(document), contentType: 'application/pdf', bytes: pdf }]),
    ],
  };
}

/** `XDM/1.0/DDM+<label> <FAMILY> <given> <DD/MM/YYYY>`: of one line whatever names hold. */
export function subjectOf(document: OutgoingDocument): string {
  const patient = patientOf(document);
  const { family, given } = nameOf(patient?.name);
  const [year, month, day] = (patient?.birthDate ?? '').split('-');
  const born = day === undefined ? '' : `${day}/${month}/${year}`;
  const parts = [labelOf(document), family.toUpperCase(), given, born];
  return `XDM/1.0/DDM+${parts
    .map(oneLine)
    .filter((part) => part !== '')
    .join(' ')}`.slice(0, subjectLengthMax);
}

const subjectLengthMax = 240;

function labelOf({ reference }: OutgoingDocument): string {
  const { type, content } = reference;
  const label = type?.coding?.[0]?.display ?? type?.text ?? content[0]?.attachment.title ?? 'Document';
  return oneLine(label).slice(0, labelLengthMax).trim();
}

const oneLine = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();

function textOf(document: OutgoingDocument, own: string | undefined): string {
  const lines = [
    ...(own === undefined ? [] : [own, '']),
    'Bonjour,',
    '',
    `Vous trouverez en pièce jointe un document (${labelOf(document)}).`,
    'L’archive IHE_XDM.zip est destinée à votre logiciel ; le fichier PDF, lorsqu’il est présent, à la lecture.',
    '',
    'Message envoyé par Suture. Un accusé de lecture vous est demandé.',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** `<AAAAMMJJ>_<type>_<NOM>_<prenom>.pdf`, of letters and digits: it becomes a file on somebody's disk. */
function pdfName(document: OutgoingDocument): string {
  const { family, given } = nameOf(patientOf(document)?.name);
  const day = (document.reference.date ?? '').slice(0, 10).replaceAll('-', '');
  const parts = [day, labelOf(document), family, given].map((part) =>
    part
      .normalize('NFD')
      .replace(/\p{M}/gu, '')
      .replace(/[^A-Za-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, ''),
  );
  return `${parts
    .filter((part) => part !== '')
    .join('_')
    .slice(0, 120)}.pdf`;
}
