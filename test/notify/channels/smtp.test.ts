/** How mails leave: to a real SMTP server on this machine. */
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Mail } from '../../../src/notify/channels/email.ts';
import { createSmtp } from '../../../src/notify/channels/smtp.ts';

const mail: Mail = {
  id: '11111111-2222-8333-a444-555555555555',
  to: 'idec@chu.mssante.fr',
  subject: 'Suture : notification',
  text: '1 événement(s).\r\n',
  attachment: { contentType: 'application/fhir+json', name: 'notification.json', text: '{"resourceType":"Bundle"}' },
};

const servers: SMTPServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise<void>((resolve) => server.close(() => resolve()));
});

interface Taken {
  readonly recipients: readonly string[];
  readonly bytes: Buffer;
}

async function openMailServer(options: SMTPServerOptions = {}): Promise<{ url: URL; taken: Taken[] }> {
  const taken: Taken[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        taken.push({ recipients: session.envelope.rcptTo.map(({ address }) => address), bytes: Buffer.concat(parts) });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return { url: new URL(`smtp://127.0.0.1:${port}`), taken };
}

const from = 'suture@chu.mssante.fr';

describe('a mail', () => {
  it('reaches its one recipient with text, attachment and an id that stays when it is sent again', async () => {
    const { url, taken } = await openMailServer();
    const send = createSmtp({ server: url, from });
    expect([await send(mail), await send(mail)]).toEqual(['accepted', 'accepted']);
    expect(taken.map(({ recipients }) => recipients)).toEqual([['idec@chu.mssante.fr'], ['idec@chu.mssante.fr']]);
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
    const { url } = await openMailServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth({ username, password }, _session, done) {
        asked.push([username, password]);
        done(null, { user: username });
      },
    });
    url.username = 'suture%40chu';
    url.password = 'p%20w';
    expect(await createSmtp({ server: url, from })(mail)).toBe('accepted');
    expect(asked).toEqual([['suture@chu', 'p w']]);
  });

  it('that the server does not want is refused; one that it cannot take now is not', async () => {
    const refuse = (responseCode: number) =>
      openMailServer({ onRcptTo: (_to, _session, done) => done(Object.assign(new Error('no'), { responseCode })) });
    const [never, later] = [await refuse(550), await refuse(451)];
    expect(await createSmtp({ server: never.url, from })(mail)).toBe('refused');
    expect(await createSmtp({ server: later.url, from })(mail)).toBe('unreachable');
  });

  it('is not handed to a server that nobody vouches for, nor to one that is not there', async () => {
    const pem = await readFile(`${import.meta.dirname}/../fixtures/self-signed.pem`, 'utf8');
    const { url } = await openMailServer({ secure: true, key: pem, cert: pem });
    const secure = new URL(url.href.replace('smtp:', 'smtps:'));
    expect(await createSmtp({ server: secure, from })(mail)).toBe('unreachable');
    const nobody = new URL('smtp://127.0.0.1:1');
    expect(await createSmtp({ server: nobody, from })(mail)).toBe('unreachable');
  });
});
