/**
 * What a report says of a mail -> the next version of the Communication that recorded its sending.
 *
 *   failed -> not-done with the reason, whatever was said before or comes after: a document that could not be taken is not there
 *   read -> completed, with the time;  delivered -> completed;  delayed -> only noted
 *
 * Each report leaves a note once, so that the same one again changes nothing.
 */
import type { Annotation, Communication } from 'fhir/r4.js';
import type { DeliveryReport } from '../formats/index.ts';
import { identifierSearch } from './plan.ts';
import type { CandidateSearch } from './plan.ts';

/** The Communications that may record the mail: its Message-ID is an identifier, whatever the system and spelling. */
export function communicationSearch({ about }: DeliveryReport): CandidateSearch | undefined {
  const spellings = about.slice(0, 10).flatMap((id) => [id, `<${id}>`, `mid:${id}`, `urn:mid:${id}`]);
  if (spellings.length === 0) return undefined;
  const [, values = ''] =
    identifierSearch(
      'Communication',
      spellings.map((value) => ({ system: '', value })),
    ).parameters[0] ?? [];
  // Without the bar, a value of any system.
  return {
    type: 'Communication',
    parameters: [
      [
        'identifier',
        values
          .split(',')
          .map((one) => one.replace(/^\|/, ''))
          .join(','),
      ],
    ],
  };
}

const reasonSystem = 'https://suture.example/fhir/CodeSystem/delivery-failure';

const businessTexts: ReadonlyMap<string, string> = new Map([
  ['900', 'mauvaise version du document à remplacer ou à supprimer'],
  ['901', 'auteur non autorisé'],
  ['902', 'identifiant de patient inconnu'],
  ['903', 'INS absente'],
  ['904', 'identité différente de celle du destinataire'],
  ['905', 'INS incomplète'],
  ['906', 'document refusé par le destinataire'],
]);

export function applyReport(communication: Communication, report: DeliveryReport, at: string): Communication {
  const text = noteOf(report);
  const { note = [] } = communication;
  const isNoted = note.some((one) => one.text === text && one.time === at);
  const noted: Communication = isNoted
    ? communication
    : { ...communication, note: [...note, { time: at, text } satisfies Annotation] };
  return { ...noted, ...statusAfter(communication, report, at) };
}

function statusAfter({ status, received }: Communication, report: DeliveryReport, at: string): Partial<Communication> {
  if (report.outcome === 'failed') {
    if (status === 'not-done') return {};
    const coding = report.code === undefined ? [] : [{ system: reasonSystem, code: report.code }];
    return { status: 'not-done', statusReason: { ...(coding.length > 0 && { coding }), text: failureText(report) } };
  }
  const isOpen = status !== 'not-done' && status !== 'entered-in-error';
  if (report.outcome === 'delayed' || report.outcome === 'unclear' || !isOpen) return {};
  return { status: 'completed', ...(report.outcome === 'read' && received === undefined && { received: at }) };
}

function failureText({ via, code }: DeliveryReport): string {
  const known = businessTexts.get(code ?? '');
  if (known !== undefined) return `non intégré par le destinataire : ${known} (${code})`;
  if (via === 'dsn') return `message non remis${code === undefined ? '' : ` (${code})`}`;
  return `non intégré par le destinataire${code === undefined ? '' : ` (${code})`}`;
}

function noteOf(report: DeliveryReport): string {
  switch (report.outcome) {
    case 'failed':
      return `Avis d’échec : ${failureText(report)}`;
    case 'read':
      return 'Avis de lecture ou d’intégration';
    case 'delivered':
      return 'Avis de remise';
    case 'delayed':
      return 'Avis de retard de remise';
    case 'unclear':
      return 'Avis qui ne dit pas ce qu’il est advenu du message';
  }
}
