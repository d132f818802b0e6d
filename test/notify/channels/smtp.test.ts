/** How mails leave: to a real SMTP server on this machine. */
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import PostalMime from 'postal-mime';
import type { Mail } from '../../../src/notify/channels/email.ts';
import { createSmtp } from '../../../src/notify/channels/smtp.ts';
import { type MailServer, type MailServerOptions, openMailServer } from '../../support/mail-server.ts';

const mail: Mail = {
  id: '11111111-2222-8333-a444-555555555555',
  to: 'idec@chu.mssante.fr',
  subject: 'Suture : notification',
  text: '1 événement(s).\r\n',
  sentAtMs: Date.parse('2026-03-02T08:00:00Z'),
  attachment: { contentType: 'application/fhir+json', name: 'notification.json', text: '{"resourceType":"Bundle"}' },
};

const servers: MailServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function open(options: MailServerOptions = {}): Promise<{ url: URL; taken: MailServer['taken'] }> {
  const server = await openMailServer(options);
  servers.push(server);
  return { url: new URL(server.url), taken: server.taken };
}

const from = 'suture@chu.mssante.fr';

describe('a mail', () => {
  it('reaches its one recipient with text, attachment and an id that stays when it is sent again', async () => {
    const { url, taken } = await open();
    const { send } = createSmtp({ server: url, from });
    expect([await send(mail), await send(mail)]).toEqual(['accepted', 'accepted']);
    expect(taken.map(({ to }) => to)).toEqual([['idec@chu.mssante.fr'], ['idec@chu.mssante.fr']]);
    const [first, second] = await Promise.all(taken.map(({ bytes }) => PostalMime.parse(bytes)));
    expect(first).toMatchObject({
      from: { address: from },
      to: [{ address: 'idec@chu.mssante.fr' }],
      subject: 'Suture : notification',
      messageId: `<${mail.id}@chu.mssante.fr>`,
    });
    expect(first?.text).toContain('1 événement(s).');
    expect(first?.attachments).toMatchObject([
      { filename: 'notification.json', mimeType: 'application/fhir+json', disposition: 'attachment' },
    ]);
    expect(Buffer.from(first?.attachments[0]?.content as ArrayBuffer).toString()).toBe(mail.attachment?.text);
    expect(second?.messageId).toBe(first?.messageId);
  });

  it('goes with the name and password of the setting', async () => {
    const asked: unknown[] = [];
    const { url } = await open({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth({ username, password }, _session, done) {
        asked.push([username, password]);
        done(null, { user: username });
      },
    });
    url.username = 'suture%40chu';
    url.password = 'p%20w';
    expect(await createSmtp({ server: url, from }).send(mail)).toBe('accepted');
    expect(asked).toEqual([['suture@chu', 'p w']]);
  });

  it('that the server does not want is refused; one that it cannot take now is not', async () => {
    const refuse = (responseCode: number) =>
      open({ onRcptTo: (_to, _session, done) => done(Object.assign(new Error('no'), { responseCode })) });
    const [never, later] = [await refuse(550), await refuse(451)];
    expect(await createSmtp({ server: never.url, from }).send(mail)).toBe('refused');
    expect(await createSmtp({ server: later.url, from }).send(mail)).toBe('unreachable');
  });

  it('is not handed to a server that nobody vouches for, nor to one that is not there', async () => {
    const pem = await readFile(`${import.meta.dirname}/../fixtures/self-signed.pem`, 'utf8');
    const { url } = await open({ secure: true, key: pem, cert: pem });
    const secure = new URL(url.href.replace('smtp:', 'smtps:'));
    expect(await createSmtp({ server: secure, from }).send(mail)).toBe('unreachable');
    const nobody = new URL('smtp://127.0.0.1:1');
    expect(await createSmtp({ server: nobody, from }).send(mail)).toBe('unreachable');
  });
});

describe('a mail that is written already', () => {
  const written = {
    to: 'gp@medecin.mssante.fr',
    messageId: 'm-1@chu.mssante.fr',
    bytes: Buffer.from('Subject: a\r\n\r\nb\r\n'),
  };
  const outcomeOf = async (options: MailServerOptions) => {
    const { url } = await open(options);
    return createSmtp({ server: url, from }).sendWritten(written);
  };

  it('reaches its recipient as it is; whether reports will come is known from the server', async () => {
    const { url, taken } = await open();
    expect(await createSmtp({ server: url, from }).sendWritten(written)).toEqual({ kind: 'accepted', reports: false });
    expect(taken).toMatchObject([{ to: ['gp@medecin.mssante.fr'] }]);
    expect(taken[0]?.bytes.toString()).toContain('Subject: a\r\n\r\nb');
    expect(await outcomeOf({ hideDSN: false })).toEqual({ kind: 'accepted', reports: true });
  });

  it('is refused for good, or not taken now, as the server says', async () => {
    const refuse = (responseCode: number): MailServerOptions => ({
      onData(stream, _session, done) {
        stream.resume();
        stream.on('end', () => done(Object.assign(new Error('no'), { responseCode })));
      },
    });
    expect(await outcomeOf(refuse(554))).toEqual({ kind: 'refused', status: 554 });
    expect(await outcomeOf(refuse(451))).toEqual({ kind: 'unreachable' });
  });

  it('is uncertain when the connection ends between its last line and the answer, and not before', async () => {
    const cut = (moment: 'data' | 'recipient'): MailServerOptions => ({
      onRcptTo(_to, session, done) {
        if (moment === 'recipient') servers.at(-1)?.cut(session);
        else done();
      },
      onData(stream, session) {
        stream.resume();
        stream.on('end', () => servers.at(-1)?.cut(session));
      },
    });
    expect(await outcomeOf(cut('data'))).toEqual({ kind: 'uncertain' });
    expect(await outcomeOf(cut('recipient'))).toEqual({ kind: 'unreachable' });
  });
});
