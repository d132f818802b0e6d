/** DocumentReference/[id]/$mssante: to a real SMTP server, recorded as a Communication, durable, the same mail each time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Bundle, Communication } from 'fhir/r4.js';
import PostalMime from 'postal-mime';
import { fixture, richLetter } from '../letters/letters.ts';
import { reportOf } from '../letters/mails.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { type MailServer, openMailServer } from '../support/mail-server.ts';

let server: MailServer;
let test: TestApp;
let letter: string;
beforeAll(async () => {
  server = await openMailServer();
  test = await startTestApp({
    settings: {
      SUTURE_SMTP_URL: server.url,
      SUTURE_MAIL_FROM: 'suture@chu.mssante.example',
      SUTURE_MSSANTE_DOMAINS: 'mssante.example',
      SUTURE_MSSANTE_NIL: 'NIL-42',
    },
  });
  letter = idOf((await test.client.ingest(richLetter('discharge'))).json);
});
afterAll(async () => {
  await test?.close();
  await server?.close();
});
beforeEach(() => server.behave('take'));

const idOf = (bundle: Bundle) => bundle.entry?.[0]?.resource?.id ?? '';
const gp = 'yann.lescop@medecin.mssante.example';
const parameters = (values: Readonly<Record<string, string | boolean>>) => ({
  resourceType: 'Parameters',
  parameter: Object.entries(values).map(([name, value]) =>
    typeof value === 'boolean' ? { name, valueBoolean: value } : { name, valueString: value },
  ),
});
const ask = (values: Readonly<Record<string, string | boolean>>, id = letter) =>
  test.client.post(`DocumentReference/${id}/$mssante`, parameters(values));
const readOf = ({ id }: { id?: string }) => test.client.read<Communication>(`Communication/${id}`);

it('sends the letter with the subject, headers and archive of MSSanté, and records it', async () => {
  const before = server.taken.length;
  const reply = await ask({ to: gp, text: 'Cher confrère,' });
  expect([reply.status, reply.json.status, reply.headers.get('location')]).toEqual([
    201,
    'preparation',
    expect.stringContaining('/Communication/'),
  ]);
  await test.client.settle();
  expect(await readOf(reply.json)).toMatchObject({
    status: 'completed', // this server announces no reports: nothing better will come
    sent: '2026-03-02T07:00:00.000Z',
    medium: [{ coding: [{ code: 'MSSANTE' }] }],
    about: [{ reference: `DocumentReference/${letter}` }],
    subject: { reference: expect.stringMatching(/^Patient\//) },
    encounter: { reference: expect.stringMatching(/^Encounter\//) },
    recipient: [{ display: gp }],
  });
  const [taken] = server.taken.slice(before);
  const mail = await PostalMime.parse(taken?.bytes ?? '');
  expect(taken?.to).toEqual([gp]);
  expect(reply.json.identifier[0].value).toBe(mail.messageId);
  expect(mail.subject).toBe("XDM/1.0/DDM+Lettre de liaison à la sortie d'un établ KERDONCUFF SOLENE 14/05/1958");
  const headers = Object.fromEntries(mail.headers.map(({ key, value }) => [key, value]));
  expect(headers).toMatchObject({
    'x-mss-codecda': '11490-0',
    'x-mss-ins': 'N', // an INS of the test domain
    'x-mss-nil': 'NIL-42',
    'disposition-notification-to': '<suture@chu.mssante.example>',
  });
  expect(mail.text).toContain('Cher confrère,');
  const archive = Buffer.from(mail.attachments[0]?.content as ArrayBuffer);
  expect((await test.client.ingest(archive, 'application/zip')).status).toBe(200);
});

it('attaches the PDF of a letter of level 1, and tells a patient that he cannot answer', async () => {
  const id = idOf((await test.client.ingest(fixture('discharge-pdf.xml'))).json);
  await ask({ to: '258059999900193@patient.mssante.example', final: true }, id);
  await test.client.settle();
  const mail = await PostalMime.parse(server.taken.at(-1)?.bytes ?? '');
  expect(mail.headers).toEqual(expect.arrayContaining([expect.objectContaining({ key: 'x-mss-mes', value: 'FIN' })]));
  expect(mail.attachments.map(({ mimeType }) => mimeType)).toEqual(['application/zip', 'application/pdf']);
  expect(mail.attachments[1]?.filename).toMatch(/^\d{8}_[A-Za-z-]+_KERDONCUFF_SOLENE\.pdf$/);
});

it('finds the mailbox in the telecom of the role, the person, the place', async () => {
  const email = (value: string) => ({ telecom: [{ system: 'email', value }] });
  await test.client.putAll(
    { resourceType: 'Practitioner', id: 'dr', ...email('dr@medecin.mssante.example') },
    { resourceType: 'Organization', id: 'msp', name: 'MSP du Lavoir', ...email('accueil@msp.mssante.example') },
    {
      resourceType: 'PractitionerRole',
      id: 'r1',
      practitioner: { reference: 'Practitioner/dr' },
      ...email('dr@gmail.example'),
    },
    { resourceType: 'PractitionerRole', id: 'r2', organization: { reference: 'Organization/msp' } },
    { resourceType: 'Organization', id: 'bare', name: 'Bare', ...email('a@b.example') },
  );
  const to: string[] = [];
  for (const recipient of ['PractitionerRole/r1', 'PractitionerRole/r2', 'Organization/msp']) {
    const { json } = await ask({ recipient });
    await test.client.settle();
    expect((await readOf(json)).recipient?.[0]?.reference).toBe(recipient);
    to.push(server.taken.at(-1)?.to[0] ?? '');
  }
  expect(to).toEqual(['dr@medecin.mssante.example', 'accueil@msp.mssante.example', 'accueil@msp.mssante.example']);
  expect((await ask({ recipient: 'Organization/bare' })).status).toBe(422);
  expect((await ask({ recipient: 'Organization/none' })).status).toBe(422);
});

describe('what cannot go is refused, and nothing is recorded:', () => {
  it.each([
    ['no recipient', {}, 400],
    ['a mailbox elsewhere', { to: 'a@gmail.example' }, 422],
    ['a domain that only ends so', { to: 'a@xmssante.example' }, 422],
    ['M4: two mailboxes', { to: `${gp},evil@attacker.example` }, 400],
    ['M5: a header in the mailbox', { to: `${gp}\r\nBcc: evil@attacker.example` }, 400],
    ['an unknown parameter', { to: gp, bcc: 'x' }, 400],
  ])('%s', async (_title, values, status) => {
    const before = (await test.client.search('Communication')).length;
    expect((await ask(values as never)).status).toBe(status);
    expect((await test.client.search('Communication')).length).toBe(before);
  });
});

describe('what goes wrong', () => {
  it('for good is not done, with the reason (RUP-34)', async () => {
    server.behave(554);
    const { json } = await ask({ to: gp });
    await test.client.settle();
    expect(await readOf(json)).toMatchObject({
      status: 'not-done',
      statusReason: { text: expect.stringContaining('554') },
    });
  });

  it('for now is tried again, with the same bytes; what may have been taken only after a quarter of an hour', async () => {
    server.behave(451);
    const { json } = await ask({ to: gp });
    await test.client.settle();
    expect((await readOf(json)).status).toBe('preparation');
    server.behave('lost');
    const before = server.taken.length;
    await test.client.moveClock('2026-03-02T08:01:00+01:00');
    expect([server.taken.length - before, (await readOf(json)).status]).toEqual([1, 'preparation']);
    server.behave('take');
    await test.client.moveClock('2026-03-02T08:14:00+01:00');
    expect(server.taken.length - before).toBe(1);
    await test.client.moveClock('2026-03-02T08:20:00+01:00');
    expect([server.taken.length - before, (await readOf(json)).status]).toEqual([2, 'completed']);
    const [first, second] = server.taken.slice(before);
    expect(first?.bytes.equals(second?.bytes ?? Buffer.alloc(0))).toBe(true);
  });

  it('may have been taken, is reported, and is not sent again', async () => {
    server.behave('lost');
    const { json } = await ask({ to: gp });
    await test.client.settle();
    const before = server.taken.length;
    await test.client.putAll({ ...(await readOf(json)), status: 'completed' } as never);
    server.behave('take');
    await test.client.moveClock('2026-03-02T09:00:00+01:00');
    expect(server.taken.length).toBe(before);
  });

  it('waits through a restart', async () => {
    server.behave(451);
    const { json } = await ask({ to: gp });
    await test.client.settle();
    test = await test.restart();
    server.behave('take');
    await test.client.moveClock('2026-03-02T10:00:00+01:00');
    expect((await readOf(json)).status).toBe('completed');
  });

  it('for a day is given up', async () => {
    server.behave(451);
    const { json } = await ask({ to: gp });
    await test.client.moveClock('2026-03-04T10:00:00+01:00');
    expect(await readOf(json)).toMatchObject({ status: 'not-done' });
  });
});

describe('what became of a mail that was sent comes in by $ingest, and its Communication follows:', () => {
  /** Sends, and answers the Communication and the mail as the SMTP server took it. */
  async function send(how: 'take' | 'lost' = 'take') {
    server.behave(how);
    const { json } = await ask({ to: gp });
    await test.client.settle();
    const mail = server.taken.at(-1)?.bytes ?? Buffer.alloc(0);
    const { messageId = '' } = await PostalMime.parse(mail);
    return {
      communication: json as { id: string },
      messageId,
      head: mail.toString('latin1').split('\r\n\r\n')[0] ?? '',
    };
  }
  const report = async (bytes: Buffer) => expect((await test.client.ingest(bytes, 'message/rfc822')).status).toBe(200);
  const disposition = (messageId: string, ...fields: string[]) =>
    reportOf({ kind: 'disposition-notification', fields: [`Original-Message-ID: ${messageId}`, ...fields] });
  const bounce = (original: string) =>
    reportOf({
      kind: 'delivery-status',
      fields: [
        'Reporting-MTA: dns; mx.mssante.example',
        '',
        `Final-Recipient: rfc822; ${gp}`,
        'Action: failed',
        'Status: 5.1.1',
      ],
      original: `${original}\r\n\r\n`,
    });

  it('an MDN that it was read, once, and of no other mail', async () => {
    const [{ communication, messageId }, other] = [await send(), await send()];
    const mdn = disposition(messageId, 'Disposition: manual-action/MDN-sent-manually; displayed');
    await report(mdn);
    const read = await readOf(communication);
    expect(read).toMatchObject({ status: 'completed', received: '2026-03-03T07:00:00.000Z' });
    expect((await readOf(other.communication)).received).toBeUndefined();
    await report(mdn);
    expect((await readOf(communication)).meta?.versionId).toBe(read.meta?.versionId);
  });

  it('an MDN that the recipient’s software could not take it', async () => {
    const { communication, messageId } = await send();
    await report(
      disposition(
        messageId,
        'Disposition: automatic-action/MDN-sent-automatically; processed/error',
        'Error: 902^Patient inconnu^x| E^Error',
      ),
    );
    expect(await readOf(communication)).toMatchObject({
      status: 'not-done',
      statusReason: { coding: [{ code: '902' }] },
    });
  });

  it('a DSN that encloses the header of the mail, and none is sent again after an answer that was lost', async () => {
    const { communication, head } = await send('lost');
    expect((await readOf(communication)).status).toBe('preparation');
    await report(bounce(head));
    expect(await readOf(communication)).toMatchObject({
      status: 'not-done',
      statusReason: { coding: [{ code: '5.1.1' }] },
    });
    const before = server.taken.length;
    server.behave('take');
    await test.client.moveClock('2026-03-04T12:00:00+01:00');
    expect(server.taken.length).toBe(before);
  });
});
