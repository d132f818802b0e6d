/** MSSanté mails through $ingest: letters in archives, what goes to a person, and what becomes of mails that were sent (M7 to M12). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Communication, DocumentReference, Task } from 'fhir/r4.js';
import type { Resource } from '../../src/fhir/index.ts';
import { fixture, richLetter } from '../letters/letters.ts';
import { archivePart, mailOf, type MailParts, reportOf } from '../letters/mails.ts';
import { xdmOf } from '../letters/xdm.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client } from '../support/client.ts';

let test: TestApp;
let client: Client;
let archive: Buffer;
beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  archive = await xdmOf([
    { bytes: richLetter('discharge'), patientId: '258059999900193^^^&1.2.250.1.213.1.4.10&ISO^NH' },
  ]);
});
afterAll(() => test?.close());

const send = (mail: MailParts | Buffer) => client.ingest(Buffer.isBuffer(mail) ? mail : mailOf(mail), 'message/rfc822');
const letters = () => client.search<DocumentReference>('DocumentReference');
const findingsOf = (letter: DocumentReference | undefined) =>
  (letter?.extension ?? []).flatMap(({ extension = [] }) =>
    extension.filter(({ url }) => url === 'code').map(({ valueCode }) => valueCode),
  );

describe('a mail with letters', () => {
  it.each<[string, () => MailParts | Buffer]>([
    ['M9, M10: from elsewhere', () => ({ from: 'dr@gmail.example', parts: [archivePart(archive)] })],
    ['M7: cut off', () => ({ parts: [archivePart(archive)], isCut: true })],
    ['M7: whose archive is cut off', () => ({ parts: [archivePart(archive.subarray(0, 2000))] })],
    [
      'M7: whose attachment is no base64',
      () => ({
        parts: [{ type: 'application/zip\r\nContent-Transfer-Encoding: base64', bytes: '!!!!', isPlain: true }],
      }),
    ],
    [
      'M10: signed by S/MIME',
      () => ({ parts: [archivePart(archive), { type: 'application/pkcs7-signature', bytes: 'x' }] }),
    ],
    [
      'M11: with a program',
      () => ({
        parts: [archivePart(archive), { type: 'application/octet-stream', bytes: 'MZ\u0090', name: 'facture.pdf' }],
      }),
    ],
    [
      'M11: with winmail.dat alone',
      () => ({ parts: [{ type: 'application/ms-tnef', bytes: 'x9>"', name: 'winmail.dat' }] }),
    ],
    ['without any document', () => ({ parts: [{ type: 'application/pdf', bytes: '%PDF-1.7', name: 'lettre.pdf' }] })],
    [
      'of two patients',
      () => ({
        parts: [
          { type: 'text/xml', bytes: fixture('discharge.xml') },
          { type: 'text/xml', bytes: fixture('admission.xml').replaceAll('258059999900193', '258059999900290') },
        ],
      }),
    ],
  ])('%s goes to a person, and nothing is stored', async (_, mail) => {
    const reply = await send(mail());
    expect([reply.status, reply.json.resourceType]).toEqual([422, 'OperationOutcome']);
    const task = await client.read<Task>((reply.headers.get('location') ?? '').slice(client.baseUrl.length + 1));
    const kept = await client.get(task.focus?.reference ?? '', { accept: '*/*' });
    expect(kept.headers.get('content-type')).toContain('message/rfc822');
    expect(kept.bytes.length).toBeGreaterThan(200);
    expect(await letters()).toEqual([]);
  });

  it('is taken whatever its attachment is called (M8), and a PDF beside it is a copy', async () => {
    const pdf = { type: 'application/pdf', bytes: '%PDF-1.7', name: '20260302_Lettre_KERDONCUFF.pdf' };
    const reply = await send({
      headers: ['X-MSS-CODECDA: 11490-0', 'X-MSS-INS: N', 'X-MSS-NIL: 0001'],
      parts: [archivePart(archive, '..\\\\..\\\\IHE_XDM.ZIP'), pdf],
    });
    expect([reply.status, reply.json.issue]).toEqual([201, undefined]);
    const [letter, ...more] = await letters();
    expect(more).toEqual([]);
    expect(letter?.type?.coding?.[0]?.code).toBe('11490-0');
    expect(findingsOf(letter)).not.toContain('mail-differs');
  });

  it('changes nothing the second time, also by another way; another mail of the same name is refused (M10)', async () => {
    const parts = [
      archivePart(archive, '..\\\\..\\\\IHE_XDM.ZIP'),
      { type: 'application/pdf', bytes: '%PDF-1.7', name: 'x.pdf' },
    ];
    expect((await send({ headers: ['Received: by mx.example'], parts })).status).toBe(200);
    expect((await client.ingest(mailOf({ parts }), 'application/octet-stream')).status).toBe(200);
    expect(await letters()).toHaveLength(1);
    const other = await send({ parts: [{ type: 'text/xml', bytes: fixture('admission.xml') }] });
    expect([other.status, other.json.issue[0].expression]).toEqual([409, ['message-id']]);
  });

  it('says in findings where subject and headers differ from the document', async () => {
    const reply = await send({
      messageId: '2@chva.mssante.fr',
      subject: 'XDM/1.0/DDM+Lettre KERDONCUFF SOLENE 15/05/1958',
      headers: ['X-MSS-CODECDA: 34112-3', 'X-MSS-INS: O'],
      parts: [{ type: 'application/xml', bytes: fixture('admission.xml') }],
    });
    expect([reply.status, reply.json.issue]).toEqual([201, undefined]);
    const [letter] = await client.search<DocumentReference>('DocumentReference?type=18761-7');
    expect(findingsOf(letter).filter((code) => code === 'mail-differs')).toHaveLength(3);
  });

  it('is taken out of a mail that forwards it whole', async () => {
    const inside = mailOf({ parts: [archivePart(archive)] });
    const reply = await send({
      messageId: '3@chva.mssante.fr',
      parts: [{ type: 'message/rfc822', bytes: inside.toString('utf8'), isPlain: true }],
    });
    expect(reply.status).toBe(200);
  });
});

describe('a report', () => {
  const sent = (id: string, more: object = {}): Resource => ({
    resourceType: 'Communication',
    id,
    identifier: [{ system: 'urn:ietf:rfc:5322', value: `<${id}@territoire.mssante.fr>` }],
    status: 'in-progress',
    medium: [{ coding: [{ code: 'MSSANTE' }] }],
    ...more,
  });
  const mdn = (id: string, ...fields: string[]) =>
    reportOf({
      kind: 'disposition-notification',
      fields: [`Original-Message-ID: <${id}@territoire.mssante.fr>`, ...fields],
    });
  const shown = 'Disposition: manual-action/MDN-sent-manually; displayed';
  const failed = [
    'Disposition: automatic-action/MDN-sent-automatically; processed/error',
    'Error: 902^Patient inconnu^x| E^Error',
  ];
  const stateOf = async (id: string) => {
    const { status, statusReason, received, note } = await client.read<Communication>(`Communication/${id}`);
    return [status, statusReason?.coding?.[0]?.code, received, note?.length];
  };

  it('that the mail was read completes its Communication, once', async () => {
    await client.putAll(sent('m-read'));
    expect((await send(mdn('m-read', shown))).status).toBe(200);
    expect(await stateOf('m-read')).toEqual(['completed', undefined, '2026-03-03T07:00:00.000Z', 1]);
    await send(mdn('m-read', shown));
    expect((await client.read<Communication>('Communication/m-read')).meta?.versionId).toBe('2');
  });

  it('that it could not be taken opens RUP-34, whatever else is said before or after', async () => {
    await client.putAll(
      { resourceType: 'Patient', id: 'm-patient', name: [{ family: 'TREGUER' }] },
      sent('m-failed', {
        subject: { reference: 'Patient/m-patient' },
        sent: '2026-03-02T08:00:00+01:00',
        status: 'completed',
      }),
    );
    await send(mdn('m-failed', ...failed));
    await send(mdn('m-failed', shown));
    expect(await stateOf('m-failed')).toEqual(['not-done', '902', undefined, 2]);
    await client.settle();
    expect((await client.get('Patient/m-patient/$breaks')).text).toContain('RUP-34');
    expect(await client.search('DetectedIssue?patient=Patient/m-patient')).toHaveLength(1);
  });

  it('of delivery that failed gives the reason that the mail server gave', async () => {
    await client.putAll(sent('m-bounced'));
    const fields = [
      'Reporting-MTA: dns; mx',
      '',
      'Final-Recipient: rfc822; nobody@chb.mssante.fr',
      'Action: failed',
      'Status: 5.1.1',
    ];
    await send(
      reportOf({ kind: 'delivery-status', fields, original: 'Message-ID: <m-bounced@territoire.mssante.fr>\r\n\r\nx' }),
    );
    expect(await stateOf('m-bounced')).toEqual(['not-done', '5.1.1', undefined, 1]);
  });

  it('M12: of a mail that nobody knows, an automatic answer, and our own mail coming back, make no Task', async () => {
    const before = await client.search('Task?_count=1000');
    const replies = [
      await send(mdn('m-unknown', shown)),
      await send({ headers: ['Auto-Submitted: auto-replied'], subject: 'Absence' }),
      await send(
        reportOf({
          kind: 'delivery-status',
          fields: ['Reporting-MTA: dns; mx'],
          headers: ['Auto-Submitted: auto-replied'],
        }),
      ),
    ];
    expect(replies.map(({ status, json }) => [status, json.issue?.[0]?.severity])).toEqual(
      Array(3).fill([200, 'information']),
    );
    expect(await client.search('Task?_count=1000')).toHaveLength(before.length);
  });
});
