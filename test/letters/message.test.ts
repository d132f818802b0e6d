/** HL7 v2 messages that carry letters: rows L4 to L7, L10, L11 and L13 of the hostile inputs, and what real files look like. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { componentOf, parseHl7, segmentsOf, valueOf } from '../../src/formats/index.ts';
import { type CarrierResult, openMessage, readLetter } from '../../src/letters/index.ts';
import { fixture } from './letters.ts';
import { type Flags, messageOf } from './messages.ts';

const discharge = fixture('discharge.xml');
/** As $ingest opens the bytes. */
function openBytes(bytes: Uint8Array): CarrierResult {
  const parsed = parseHl7(bytes);
  return parsed.kind === 'refused' ? { kind: 'review', reasons: [parsed.issue] } : openMessage(parsed.message);
}
const open = (text: string | Buffer) => openBytes(Buffer.from(text as string));
const placesOf = (text: string | Buffer) => {
  const opened = open(text);
  return opened.kind === 'review' ? opened.reasons.map(({ expression }) => expression) : opened.kind;
};

describe('a message', () => {
  test.each([
    ['CR', '\r'],
    ['LF', '\n'],
    ['CRLF', '\r\n'],
  ])('with %s between its segments gives its letter byte for byte', (_, separator) => {
    const opened = open(messageOf(discharge).replaceAll('\r', separator));
    expect(opened).toMatchObject({ kind: 'letters', letters: [{ isWithdrawal: false, visibility: [] }] });
    if (opened.kind === 'letters') expect(Buffer.from(opened.letters[0]?.bytes ?? []).toString()).toBe(discharge);
  });

  test.each([
    ['in the frame of MLLP', `\u000b${messageOf(discharge)}\u001c\r`],
    ['with a damaged separator of repetitions', messageOf(discharge).replaceAll('~', 'Ë')],
    ['without padding', messageOf(discharge).replace(/=+\|/, '|')],
    ['with Z segments', messageOf(discharge).replace('\rORC', '\rZFD|||Y|N|INSI\rORC')],
    ['as ORU^R01', messageOf(discharge, { type: 'ORU^R01^ORU_R01' })],
  ])('%s is read', (_, text) => {
    expect(open(text).kind).toBe('letters');
  });

  test('of T04 takes the letter back, of T10 brings its next version', () => {
    const isWithdrawal = (text: string) => {
      const opened = open(text);
      return opened.kind === 'letters' && opened.letters[0]?.isWithdrawal;
    };
    expect(isWithdrawal(messageOf(discharge, { type: 'MDM^T04^MDM_T02', order: 'CA', result: 'D' }))).toBe(true);
    expect(isWithdrawal(messageOf(discharge, { type: 'MDM^T10^MDM_T02', order: 'RO', result: 'C' }))).toBe(false);
  });

  test.each([
    ['another event', messageOf(discharge, { type: 'ADT^A01^ADT_A01' }), ['MSH-9']],
    ['L7: acts that contradict each other', messageOf(discharge, { result: 'D' }), ['OBX-11']],
    ['L7: no base64', messageOf(discharge).replace('Base64^', 'Base64^*'), ['OBX-5']],
    ['no document', messageOf(discharge).replace('|ED|', '|ST|'), ['OBX-5']],
    ['L10: two INS', messageOf(discharge).replace('~IPP', '~1^^^A&1.2.250.1.213.1.4.8&ISO^INS~IPP'), ['PID-3']],
    ['L10: an INS that is not qualified', messageOf(discharge, { reliability: 'PROV' }), ['PID-32']],
    ['two patients', messageOf(discharge).replace('\rORC', '\rPID|||1\rORC'), ['PID']],
  ])('with %s goes to review', (_, text, places) => {
    expect(placesOf(text)).toEqual(places);
  });
});

describe('L10, X15: a message that speaks of another', () => {
  test.each([
    ['patient', { ins: '299999999999999' }],
    ['birth date', { birthDate: '19590514' }],
    ['document', { id: '1.2.3' }],
    ['type', { code: '34112-3' }],
  ])('%s than its document goes to review', (_, claim) => {
    const opened = open(messageOf(discharge, claim));
    if (opened.kind === 'review') throw new Error('the message itself is sound');
    const [letter] = opened.letters;
    const settings = { zone: 'Europe/Paris', newId: () => 'x', receivedAt: '2026-03-02T16:30:00Z' };
    const read = (claims = letter?.claims) =>
      readLetter(letter?.bytes ?? new Uint8Array(), { ...settings, ...(claims && { claims }) });
    expect(read()).toMatchObject({ kind: 'review', reasons: [{ code: 'conflict' }] });
  });
});

describe('a replacement (MDM^T10)', () => {
  const replacing = { type: 'MDM^T10^MDM_T02', order: 'RO', result: 'C', id: '1.2.250.1.999.7.3.40.2' };
  const readWith = (letter: string, parent: string) => {
    const opened = open(messageOf(letter, { ...replacing, parent }));
    if (opened.kind === 'review') throw new Error('the message itself is sound');
    const [carried] = opened.letters;
    const claims = { ...carried?.claims, uniqueId: undefined } as never;
    const result = readLetter(carried?.bytes ?? new Uint8Array(), {
      zone: 'Europe/Paris',
      newId: () => 'x',
      receivedAt: '2026-03-02T16:30:00Z',
      claims,
    });
    return result.kind === 'letter' ? 'letter' : result.reasons.map(({ diagnostics }) => diagnostics);
  };

  test.each([
    ['a document that replaces the same', fixture('discharge-v2.xml'), '1.2.250.1.999.7.3.40.1', 'letter'],
    ['a document that says itself what it replaces', fixture('discharge-v2.xml'), '', 'letter'],
    ['a document that replaces another', fixture('discharge-v2.xml'), '1.2.3', ['900']],
    ['a document that replaces none', discharge, '', ['900']],
  ])('brings %s', (_, letter, parent, expected) => {
    expect(readWith(letter, parent)).toEqual(expected);
  });
});

describe('L11: masks', () => {
  const masksOf = (flags: Flags) => {
    const opened = open(messageOf(discharge, { flags }));
    return opened.kind === 'letters' ? opened.letters[0]?.visibility : opened.reasons.map(({ text }) => text);
  };

  test.each([
    [{ MASQUE_PS: 'Y', INVISIBLE_PATIENT: 'N', DESTDMP: 'Y' }, ['MASQUE_PS']],
    [{ INVISIBLE_REP_LEGAUX: 'Y' }, ['INVISIBLE_REP_LEGAUX']],
    [{ MASQUE_PS: 'y' }, ['MASQUE_PS?']],
    [{ MASQUE_PS: '' }, ['MASQUE_PS?']],
    [{ masque_ps: 'N' }, ['masque_ps?']],
    [{ INVISIBLE_PATIENT: 'Y', DESTMSSANTEPAT: 'Y' }, ['document invisible au patient et destiné au patient']],
  ] as [Flags, string[]][])('%j', (flags, expected) => {
    expect(masksOf(flags)).toEqual(expected);
  });
});

describe('parsing', () => {
  const parse = (text: string, encoding: BufferEncoding = 'utf8') => parseHl7(Buffer.from(text, encoding));

  test.each([['MSH|||||'], ['MSH|^^\\&|'], ['MSH|abcd|'], ['MSH\r^~\\&\r'], ['MSH|^~\\&#x|'], ['PID|^~\\&|'], ['']])(
    'L4: %j is refused',
    (text) => expect(parse(text).kind).toBe('refused'),
  );

  test('L5: characters are those of MSH-18, or the message is refused', () => {
    const message = (charset: string) => `MSH|^~\\&|A|||||||||||||||${charset}\rNTE|1|Hélène €`;
    const textOf = (result: ReturnType<typeof parse>) =>
      result.kind === 'message' ? valueOf(result.message, segmentsOf(result.message, 'NTE')[0], 2) : undefined;
    expect(textOf(parse(message('UNICODE UTF-8')))).toBe('Hélène €');
    expect(textOf(parse(message('')))).toBe('Hélène €');
    expect(textOf(parse(message('8859/15').replace('€', '\u00a4'), 'latin1'))).toBe('Hélène €');
    expect(textOf(parse(message('UNICODE UTF-8').replace('€', ''), 'latin1'))).toBeUndefined();
    expect(textOf(parse(message('EBCDIC')))).toBeUndefined();
  });

  test.each([
    ['a\\F\\b', 'a|b'],
    ['a\\S\\b\\T\\c\\R\\d\\E\\e', 'a^b&c~d\\e'],
    ['\\X0B\\x\\X1C0D\\', '\u000bx\u001c'],
    ['one\\.br\\two', 'one\ntwo'],
    ['\\H\\bold\\N\\', 'bold'],
    ['open \\X0', 'open \\X0'],
    ['\\Q\\', '\\Q\\'],
  ])('L6: %j is %j as data', (raw, expected) => {
    const result = parse('MSH|^~\\&|');
    if (result.kind === 'refused') throw new Error(result.issue.text);
    expect(componentOf(result.message, raw, 1)).toBe(expected.trim());
  });

  test('L13: thousands of segments or fields are refused, one large field is not', () => {
    expect(parse(`MSH|^~\\&|\r${'NTE|1\r'.repeat(100_000)}`)).toMatchObject({ issue: { code: 'too-costly' } });
    expect(parse(`MSH|^~\\&|${'|'.repeat(1000)}`)).toMatchObject({ issue: { code: 'too-costly' } });
    expect(parse(`MSH|^~\\&|\rNTE|1|${'^x'.repeat(500_000)}`).kind).toBe('message');
  });

  test('ends for whatever bytes come', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isFramed) => {
        const message = isFramed ? Buffer.concat([Buffer.from('MSH|^~\\&|'), bytes]) : bytes;
        expect(['message', 'refused']).toContain(parseHl7(message).kind);
        openBytes(message);
      }),
      { numRuns: 300 },
    );
  });
});

const samples = new URL('../../../shared/samples/hl7v2/', import.meta.url);
const files = !existsSync(samples)
  ? []
  : readdirSync(samples, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /(?:MDM|ORU)[^/]*\.(?:er7|hl7)$/.test(name),
    );
if (files.length === 0) test.skip('the sample messages are left out: they are not at hand', () => undefined);
else
  test('official messages are opened, and their documents agree with them, but for the ones that do not', () => {
    const settings = { zone: 'Europe/Paris', newId: () => 'x', receivedAt: '2026-03-02T16:30:00Z' };
    const told = files.map((name) => {
      const opened = openBytes(readFileSync(new URL(encodeURI(name), samples)));
      if (opened.kind === 'review') return `${name}: not opened`;
      const results = opened.letters.map(({ bytes, claims }) =>
        readLetter(bytes, { ...settings, ...(claims && { claims }) }),
      );
      return results.every(({ kind }) => kind === 'letter') ? 'letter' : (name.split('/').at(-1) ?? '');
    });
    // Two hold a placeholder instead of a document; in one, PID and the document are of two patients.
    expect(told.filter((one) => one !== 'letter').sort()).toEqual([
      'message_MDM_CR_Radio_INIT_N1.er7',
      'message_MDM__LPS_MSS_CR_Radio_INIT_N1.er7',
      'message_ORU_CR_Bio_DEL_N3_SEGUR.hl7',
    ]);
    expect(told.length).toBeGreaterThan(8);
  });
