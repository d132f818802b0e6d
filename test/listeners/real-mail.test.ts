/**
 * Letters by mail between two hospitals over mail servers of Debian (exim, dovecot), where these are installed: what leaves by SMTP
 * comes in by IMAP, and the servers' own reports end in the Communication.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import type { Bundle, Communication, DocumentReference } from 'fhir/r4.js';
import { createLog } from '../../src/base/index.ts';
import { type ImapInput, readMailbox } from '../../src/listeners/imap.ts';
import { createSmtp } from '../../src/notify/channels/smtp.ts';
import { richLetter } from '../letters/letters.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { mailDomain, openRealMail, type RealMail, whyNoMail } from '../support/real-mail.ts';

const reason = whyNoMail();
const folders = { inbox: 'INBOX', taken: 'Prises', review: 'Revue' };
const untilMs = 20_000;

if (reason !== undefined) test.skip(`real mail servers are left out: ${reason}`, () => undefined);
else {
  describe('over exim and dovecot', () => {
    let mail: RealMail;
    let hospital: TestApp;
    let practice: TestApp;
    /** Asks again until it is so. */
    const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
      const end = performance.now() + untilMs;
      while (!(await isSo())) {
        if (performance.now() > end) throw new Error(`it does not become so: ${mail.log()}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const settings = (box: string, url: URL) => ({
      SUTURE_SMTP_URL: mail.smtpUrl,
      SUTURE_SMTP_CERTIFICATE: mail.tlsFiles.cert,
      SUTURE_SMTP_KEY: mail.tlsFiles.key,
      SUTURE_SMTP_CA: mail.tlsFiles.ca,
      SUTURE_MAIL_FROM: `${box}@${mailDomain}`,
      SUTURE_MSSANTE_DOMAINS: 'mssante.fr',
      SUTURE_IMAP_URL: url.href,
      SUTURE_IMAP_FOLDERS: Object.values(folders).join(','),
      SUTURE_IMAP_CERTIFICATE: mail.tlsFiles.cert,
      SUTURE_IMAP_KEY: mail.tlsFiles.key,
      SUTURE_IMAP_CA: mail.tlsFiles.ca,
    });
    beforeAll(async () => {
      mail = await openRealMail(['hopital', 'cabinet', 'seul']);
      hospital = await startTestApp({ settings: settings('hopital', mail.starttlsUrl('hopital')) });
      practice = await startTestApp({ settings: settings('cabinet', mail.imapsUrl('cabinet')) });
    }, 60_000);
    afterAll(async () => {
      await hospital?.close();
      await practice?.close();
      await mail?.close();
    });

    const send = async (letter: string, box: string): Promise<Communication> => {
      const parameter = [{ name: 'to', valueString: `${box}@${mailDomain}` }];
      const body = { resourceType: 'Parameters', parameter };
      const answer = await hospital.client.post(`DocumentReference/${letter}/$mssante`, body);
      expect(answer.status).toBe(201);
      await hospital.client.settle();
      return answer.json as Communication;
    };
    const statusOf = async ({ id = '' }: Communication) =>
      (await hospital.client.read<Communication>(`Communication/${id}`)).status;

    it('a letter goes out by SMTP, comes in by IMAP with TLS and a certificate, and its delivery is reported', async () => {
      const sent = (await hospital.client.ingest(richLetter('discharge'))).json as Bundle;
      const [letter] = sent.entry ?? [];
      const communication = await send(letter?.resource?.id ?? '', 'cabinet');
      await until(async () => {
        await practice.app.listeners.mailbox?.look();
        return (await practice.client.search('DocumentReference')).length === 1;
      });
      const [taken] = (await practice.client.search('DocumentReference')) as unknown as DocumentReference[];
      expect(taken?.masterIdentifier).toEqual((letter?.resource as DocumentReference).masterIdentifier);
      expect(taken?.content[0]?.attachment.hash).toBe(
        (letter?.resource as DocumentReference).content[0]?.attachment.hash,
      );
      await until(() => mail.count('cabinet', folders.taken) === 1);
      expect(mail.count('cabinet')).toBe(0);
      await until(async () => {
        await hospital.app.listeners.mailbox?.look();
        return (await statusOf(communication)) === 'completed';
      });
      expect(mail.count('hopital', folders.taken)).toBeGreaterThan(0);
    }, 60_000);

    it('a letter to a mailbox that is not there comes back as a report, and was not done (RUP-34)', async () => {
      const [letter] = await hospital.client.search('DocumentReference');
      const communication = await send(letter?.id ?? '', 'personne');
      await until(async () => {
        await hospital.app.listeners.mailbox?.look();
        return (await statusOf(communication)) === 'not-done';
      });
      expect(mail.count('hopital', folders.review)).toBe(0);
    }, 60_000);

    it('nothing is handed to it in the clear, nor without our certificate', async () => {
      const bytes = Buffer.from('Subject: a\r\n\r\nb\r\n');
      const { ca } = mail.tls;
      const written = { to: `seul@${mailDomain}`, messageId: `1@${mailDomain}`, bytes };
      const setting = { server: new URL(mail.smtpUrl), from: `hopital@${mailDomain}` };
      // The server refuses what is sent in the clear; nobody sends so where authorities are named.
      expect(await createSmtp(setting).sendWritten(written)).toMatchObject({ kind: 'refused' });
      expect(await createSmtp({ ...setting, tls: { ca } }).sendWritten(written)).toEqual({ kind: 'unreachable' });
      expect(mail.count('seul')).toBe(0);
    }, 60_000);

    const reasonOf = async (server: URL, tls: ImapInput['tls']): Promise<string> => {
      const lines: string[] = [];
      const listener = readMailbox({
        ...{ server, folders, tls, log: createLog('info', (line) => lines.push(line)) },
        take: () => Promise.resolve({ kind: 'stored', answer: { status: 201 } }),
        clock: { kind: 'real', now: () => 0 },
      });
      await listener.look();
      await listener.stop();
      return lines.map((line) => (JSON.parse(line) as { msg: string; reason?: string }).reason ?? 'read').join();
    };

    it.each([
      ['imaps', () => mail.imapsUrl('seul')],
      ['STARTTLS', () => mail.starttlsUrl('seul')],
    ])(
      'by %s the server must be vouched for, and wants to see a certificate',
      async (_, server) => {
        const { cert, key, ca } = mail.tls;
        expect(await reasonOf(server(), { cert, key, ca })).toBe('read');
        expect(await reasonOf(server(), { cert, key })).not.toContain('read');
        expect(await reasonOf(server(), { ca })).not.toContain('read');
        const stranger = (name: string) => readFileSync(`${import.meta.dirname}/tls/${name}`);
        const other = { cert: stranger('stranger.pem'), key: stranger('stranger.key'), ca };
        expect(await reasonOf(server(), other)).not.toContain('read');
      },
      60_000,
    );
  });
}
