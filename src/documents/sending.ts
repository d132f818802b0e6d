/**
 * The Communication that records a document sent by MSSanté, and what becomes of it (pure):
 *
 *   preparation --taken, no report will come--> completed        --taken, reports will come--> in-progress
 *   in-progress --MDN, DSN (letters/delivery)--> completed or not-done
 *   preparation --refused, or given up--> not-done with the reason
 *
 * Its identifier is the Message-ID, by which reports find it.
 */
import type { Communication, Reference } from 'fhir/r4.js';
import type { OutgoingDocument } from './outgoing.ts';

export const messageIdSystem = 'https://suture.example/fhir/sid/message-id';
const medium = {
  system: 'https://mos.esante.gouv.fr/NOS/TRE_R256-TypeMessagerie/FHIR/TRE-R256-TypeMessagerie',
  code: 'MSSANTE',
  display: 'MSSanté',
};

export interface ToRecord {
  readonly id: string;
  /** With angle brackets. */
  readonly messageId: string;
  readonly recipient: Reference;
  readonly mailbox: string;
}

export function recordSending(
  { reference }: OutgoingDocument,
  { id, messageId, recipient, mailbox }: ToRecord,
): Communication {
  const about: Reference = { reference: `DocumentReference/${reference.id}` };
  const encounter = reference.context?.encounter?.find((one) => one.reference?.startsWith('Encounter/'));
  return {
    resourceType: 'Communication',
    id,
    identifier: [{ system: messageIdSystem, value: messageId }],
    status: 'preparation',
    category: [{ text: 'Document transmis par MSSanté' }],
    medium: [{ coding: [medium] }],
    ...(reference.subject === undefined ? {} : { subject: reference.subject }),
    ...(encounter === undefined ? {} : { encounter }),
    about: [about],
    recipient: [{ ...recipient, display: mailbox }],
    ...(reference.custodian?.reference === undefined ? {} : { sender: reference.custodian }),
    payload: [{ contentReference: about }],
  };
}

export type Sent =
  | { readonly kind: 'accepted'; readonly reports: boolean }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'given-up' }
  | { readonly kind: 'impossible'; readonly reason: string };

/** `at`: instant. Whoever has changed it meanwhile is right: only what is in preparation moves. */
export function afterSending(communication: Communication, sent: Sent, at: string): Communication {
  if (communication.status !== 'preparation') return communication;
  switch (sent.kind) {
    case 'accepted':
      return { ...communication, status: sent.reports ? 'in-progress' : 'completed', sent: at };
    case 'refused':
      return notDone(communication, `le serveur de messagerie a refusé le message (${sent.status})`);
    case 'given-up':
      return notDone(communication, 'le serveur de messagerie n’a pas pu être joint');
    case 'impossible':
      return notDone(communication, sent.reason);
  }
}

function notDone(communication: Communication, text: string): Communication {
  const coding = [
    { system: 'http://terminology.hl7.org/CodeSystem/communication-not-done-reason', code: 'system-error' },
  ];
  return { ...communication, status: 'not-done', statusReason: { coding, text } };
}
