/** How mails leave: to a real SMTP server on this machine. */
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
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

  it('is not refused for good by a server that does not know us', async () => {
    const { url } = await open({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_login, _session, done) => done(Object.assign(new Error('no'), { responseCode: 535 })),
    });
    url.username = 'suture';
    url.password = 'old';
    expect(await createSmtp({ server: url, from }).send(mail)).toBe('unreachable');
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

describe('over STARTTLS', () => {
  const pem = (name: string) => readFile(`${import.meta.dirname}/../../listeners/tls/${name}`);
  /** As servers do that offer TLS; `clear`: the commands that came before it. */
  const openTls = async (options: MailServerOptions = {}) => {
    const clear: string[] = [];
    const heard = (name: string, secure: boolean): void => void (secure ? undefined : clear.push(name));
    const opened = await open({
      disabledCommands: [],
      key: await pem('server.key'),
      cert: await pem('server.pem'),
      ca: [await pem('ca.pem')],
      onAuth({ username }, { secure }, done) {
        heard('AUTH', secure);
        done(null, { user: username });
      },
      onMailFrom(_from, { secure }, done) {
        heard('MAIL', secure);
        done();
      },
      ...options,
    });
    return { ...opened, clear };
  };

  it('everything but the greeting goes enciphered, to a server that our authorities vouch for', async () => {
    const { url, taken, clear } = await openTls();
    url.username = 'suture';
    url.password = 'secret';
    expect(await createSmtp({ server: url, from, tls: { ca: await pem('ca.pem') } }).send(mail)).toBe('accepted');
    expect([taken.length, clear]).toEqual([1, []]);
  });

  it.each<[string, () => Promise<MailServerOptions>]>([
    ['that hides STARTTLS, as one in the middle would', () => Promise.resolve({ hideSTARTTLS: true })],
    ['that does not know it', () => Promise.resolve({ disabledCommands: ['STARTTLS'] })],
    [
      'that others vouch for',
      async () => ({ key: await pem('stranger.key'), cert: await pem('stranger.pem'), ca: [await pem('ca.pem')] }),
    ],
    ['that speaks only what is broken', () => Promise.resolve({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })],
  ])('a server %s is told nothing in the clear, and asked again later', async (what, options) => {
    const { url, taken, clear } = await openTls(await options());
    url.username = 'suture';
    url.password = 'secret';
    const smtp = createSmtp({ server: url, from, tls: { ca: await pem('ca.pem') } });
    // One that knows it and does not say so is asked for it all the same.
    const isKnown = what.includes('hides');
    expect([await smtp.send(mail), taken.length]).toEqual(isKnown ? ['accepted', 1] : ['unreachable', 0]);
    expect(clear).toEqual([]);
  });

  it('shows its own certificate to a server that wants one', async () => {
    const demanding: MailServerOptions = { requestCert: true, rejectUnauthorized: true };
    const ca = await pem('ca.pem');
    const own = { cert: await pem('gam.pem'), key: await pem('gam.key') };
    const { url, taken } = await openTls(demanding);
    expect(await createSmtp({ server: url, from, tls: { ca } }).send(mail)).toBe('unreachable');
    expect(taken).toHaveLength(0);
    expect(await createSmtp({ server: url, from, tls: { ca, ...own } }).send(mail)).toBe('accepted');
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4' && !one.internal)?.address;
  (outside === undefined ? it.skip : it)('is needed on every other machine, without being asked for', async () => {
    const server = await openMailServer({}, '0.0.0.0');
    servers.push(server);
    const url = new URL(server.url);
    url.hostname = outside ?? '';
    expect(await createSmtp({ server: url, from }).send(mail)).toBe('unreachable');
    expect(server.taken).toEqual([]);
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
