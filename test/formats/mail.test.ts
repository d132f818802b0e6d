/** Mails in: rows M1 to M9 and M11 of the hostile inputs, and what real mails look like. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readDeliveryReport, readMail } from '../../src/formats/index.ts';
import { mailOf, type MailParts, reportOf } from '../letters/mails.ts';

const read = async (mail: MailParts | Buffer) => readMail(Buffer.isBuffer(mail) ? mail : mailOf(mail));
const shown = async (mail: MailParts | Buffer) => {
  const result = await read(mail);
  return result.kind === 'refused' ? (result.issue.expression ?? result.issue.code) : 'mail';
};
const raw = (...lines: string[]) => Buffer.from(['From: a@chva.mssante.fr', ...lines].join('\r\n'));

/** Multiparts in multiparts. */
function nested(depth: number): Buffer {
  const open = Array.from(
    { length: depth },
    (_, level) => `Content-Type: multipart/mixed; boundary="b${level}"\r\n\r\n--b${level}`,
  );
  return raw(
    ...open,
    'Content-Type: text/plain',
    '',
    'x',
    ...Array.from({ length: depth }, (_, level) => `--b${depth - 1 - level}--`),
  );
}

describe('a mail', () => {
  test('gives its headers in one line, its parts as bytes, and the text', async () => {
    const result = await read({
      parts: [{ type: 'application/pdf', bytes: '%PDF-1.7 x', name: 'a.pdf' }],
      headers: ['X-MSS-INS: O'],
    });
    if (result.kind === 'refused') throw new Error(result.issue.text);
    const { mail } = result;
    expect(mail).toMatchObject({
      from: 'dr.diarra@chva.mssante.fr',
      messageId: '20260302.0001@chva.mssante.fr',
      subject: 'XDM/1.0/DDM+Lettre de liaison à la sortie KERDONCUFF SOLENE 14/05/1958',
      sentAt: '2026-03-02T16:00:00.000Z',
      contentType: 'multipart/mixed',
    });
    expect(mail.header('x-mss-ins')).toEqual(['O']);
    expect(mail.parts.map(({ contentType, bytes }) => [contentType, Buffer.from(bytes).toString()])).toEqual([
      ['application/pdf', '%PDF-1.7 x'],
    ]);
  });

  test.each<[string, () => Buffer | MailParts, string]>([
    ['M1: of 300 levels', () => nested(300), 'too-costly'],
    ['M1: of 12 levels', () => nested(12), 'structure'],
    ['M1: of 5,000 levels', () => nested(5000), 'too-costly'],
    [
      'M2: of 20,000 parts',
      () => ({ parts: Array.from({ length: 20_000 }, () => ({ type: 'text/plain', bytes: 'x', isPlain: true })) }),
      'too-costly',
    ],
    ['M3: to 20,000 addresses', () => ({ headers: [`Cc: ${'a@chva.mssante.fr, '.repeat(20_000)}`] }), 'too-costly'],
    ['M4: from an address in quotes', () => ({ from: '"evil@attacker.example x"@chva.mssante.fr' }), 'from'],
    ['M4: from nobody', () => Buffer.from('Subject: x\r\n\r\nx'), 'from'],
    ['M4: from two', () => raw('From: b@chva.mssante.fr', '', 'x'), 'from'],
    ['M6: with Content-Type twice', () => ({ headers: ['Content-Type: text/plain'] }), 'content-type'],
    ['M6: in parts without a boundary', () => raw('Content-Type: multipart/mixed', '', 'x'), 'content-type'],
    ['M6: with a header of 5 MB', () => ({ headers: [`X-A: ${'x'.repeat(5_000_000)}`] }), 'too-costly'],
    ['M6: with 100,000 headers', () => ({ headers: Array.from({ length: 100_000 }, () => 'X-A: 1') }), 'too-costly'],
    ['larger than allowed', () => Buffer.alloc(37 * 1024 * 1024, 'x'), 'too-costly'],
  ])('%s is refused', async (_, build, expected) => {
    expect(await shown(build())).toBe(expected);
  });

  test('M1: of a few levels is read', async () => {
    expect(await shown(nested(8))).toBe('mail');
  });

  test('M5: what an encoded word hides is one line', async () => {
    const result = await read(raw('Subject: =?utf-8?Q?a=0D=0ABcc:_x@y.fr=E2=80=AEtxt?=', '', 'x'));
    expect(result).toMatchObject({ mail: { subject: 'a Bcc: x@y.fr txt' } });
  });

  test('M7: an unknown character set and wrong base64 give something, or nothing that is told as such', async () => {
    expect(await shown(raw('Content-Type: text/plain; charset=x-unknown', '', 'é'))).toBe('mail');
    const result = await read({
      parts: [{ type: 'application/zip\r\nContent-Transfer-Encoding: base64', bytes: '***', isPlain: true }],
    });
    expect(result).toMatchObject({ kind: 'mail' });
  });

  test('M8, M9, M11: names, links, scripts and external bodies are bytes or nothing', async () => {
    const result = await read({
      parts: [
        { type: 'application/zip', bytes: 'PK', name: '..\\\\..\\\\IHE_XDM.ZIP' },
        { type: 'text/html', bytes: '<script>1</script><img src="http://127.0.0.1:9/x">', isPlain: true },
        {
          type: 'message/external-body; access-type=URL; URL="http://127.0.0.1:9/x"',
          bytes: 'Content-Type: text/plain\r\n\r\n',
          isPlain: true,
        },
      ],
    });
    if (result.kind === 'refused') throw new Error(result.issue.text);
    expect(JSON.stringify(result.mail.parts.map((part) => Object.keys(part)))).not.toContain('name');
    expect(result.mail.text).not.toContain('<script>');
  });

  test('ends for whatever bytes come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, isMail) => {
        const whole = isMail
          ? Buffer.concat([raw('Content-Type: multipart/mixed; boundary=b', '', '--b\r\n'), bytes])
          : bytes;
        expect(['mail', 'refused']).toContain((await readMail(whole)).kind);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a report', () => {
  const about = 'Original-Message-ID: <out-1@territoire.mssante.fr>';
  const reportIn = async (bytes: Buffer) => {
    const result = await readMail(bytes);
    if (result.kind === 'refused') throw new Error(result.issue.text);
    return readDeliveryReport(result.mail);
  };
  const mdn = (...fields: string[]) =>
    reportOf({
      kind: 'disposition-notification',
      fields: ['Final-Recipient: rfc822; service@chb.mssante.fr', about, ...fields],
    });
  const dsn = (...fields: string[]) =>
    reportOf({
      kind: 'delivery-status',
      fields: [
        'Reporting-MTA: dns; mx.chb.mssante.fr',
        '',
        'Final-Recipient: rfc822; service@chb.mssante.fr',
        ...fields,
      ],
      original: 'Message-ID: <out-1@territoire.mssante.fr>\r\nSubject: x\r\n\r\nx',
    });
  const manual = 'Disposition: manual-action/MDN-sent-manually; ';
  const auto = 'Disposition: automatic-action/MDN-sent-automatically; ';

  test.each<[string, Buffer, string, string | undefined]>([
    ['MDN that it was shown', mdn(`${manual}displayed`), 'read', undefined],
    ['MDN that it was processed', mdn(`${auto}processed`), 'read', undefined],
    ['MDN that it was passed on', mdn(`${auto}dispatched`), 'delivered', undefined],
    ['MDN that it was deleted unread', mdn(`${manual}deleted`), 'delivered', undefined],
    [
      'MDN of an error, first form',
      mdn(`${auto}processed/Error: 902^Identifiant de patient inconnu^messageErrorCondition| E^Error`),
      'failed',
      '902',
    ],
    [
      'MDN of an error, second form',
      mdn(`${auto}processed/error`, 'Error: 904^Traits différents^applicationErrorCondition| E'),
      'failed',
      '904',
    ],
    ['MDN of a failure', mdn(`${auto}failed`), 'failed', undefined],
    ['DSN that it came', dsn('Action: delivered', 'Status: 2.0.0'), 'delivered', '2.0.0'],
    ['DSN that it was passed on', dsn('Action: relayed', 'Status: 2.0.0'), 'delivered', '2.0.0'],
    ['DSN that it takes long', dsn('Action: delayed', 'Status: 4.4.1'), 'delayed', '4.4.1'],
    [
      'DSN that it did not come',
      dsn('Action: failed', 'Status: 5.1.1', 'Diagnostic-Code: smtp; 550 5.1.1\r\n unknown'),
      'failed',
      '5.1.1',
    ],
  ])('%s', async (_, bytes, outcome, code) => {
    expect(await reportIn(bytes)).toMatchObject({
      outcome,
      code,
      about: ['out-1@territoire.mssante.fr'],
      recipient: 'service@chb.mssante.fr',
    });
  });

  test.each(['[KO Intégration système !][902] XDM/1.0/DDM+X', '[Erreur d’intégration !][902] XDM/1.0/DDM+X'])(
    'ordinary mail %s',
    async (subject) => {
      const bytes = mailOf({ subject, headers: ['In-Reply-To: <out-1@territoire.mssante.fr>'] });
      expect(await reportIn(bytes)).toMatchObject({
        via: 'mail',
        outcome: 'failed',
        code: '902',
        about: ['out-1@territoire.mssante.fr'],
      });
    },
  );

  test('is not what a letter is', async () => {
    expect(await reportIn(mailOf())).toBeUndefined();
  });
});

const samples = new URL('../../../shared/samples/mssante-mail/', import.meta.url);
if (!existsSync(samples)) test.skip('the sample mails are left out: they are not at hand', () => undefined);
else {
  const golden: Readonly<Record<string, string>> = {
    'direct_DSN.eml': 'delivered cbjfnk7ziimajrb8prk5r0ehk9lb3g@Direct.Surescripts.com',
    'direct_MDN.eml': 'read c8a0389fd14c40c185956ff9108bab07@Direct.Surescripts.com',
    'direct_MDNMessage.eml': 'read',
    'direct_MDNMessageNoDisp.eml': 'unclear',
    'direct_MDNMessageNoFinalRecip.eml': 'read',
    'direct_MDNMessageOrigInReplyTo.eml': 'read',
    // Its header has no end: the parts' Content-Type stands in it.
    'extracted_error-mdn.eml': 'refused content-type',
    'extracted_error-standard-mail.eml': 'failed 902',
    'extracted_mdn-error-newer.eml': 'failed 902 20240219230100.23456@chb.mssante.fr',
    'extracted_original-mss-mail-skeleton.eml': '2 parts',
  };
  test('the sample mails are what they are', async () => {
    const told: Record<string, string> = {};
    for (const name of readdirSync(samples).sort()) {
      const result = await readMail(readFileSync(new URL(name, samples)));
      const report = result.kind === 'mail' ? readDeliveryReport(result.mail) : undefined;
      told[name] =
        result.kind === 'refused'
          ? `refused ${result.issue.expression ?? result.issue.code}`
          : report === undefined
            ? `${result.mail.parts.length} parts`
            : [report.outcome, report.code, report.about[0]].filter(Boolean).join(' ');
    }
    expect(told).toEqual(golden);
  });
}
