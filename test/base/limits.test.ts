/** Limits of src/base/limits.ts that need no server, each at its number and one beyond: letters, XML, expressions. */
import { describe, expect, it } from '@jest/globals';
import { expressionLimits, fhirXmlLimits, hl7Limits, mailLimits, xmlLimits, zipLimits } from '../../src/base/index.ts';
import { loadDefinitions, readFhirXml } from '../../src/fhir/index.ts';
import { parseExpression } from '../../src/fhir/fhirpath-syntax.ts';
import { parseHl7, parseXml, readMail, readZip } from '../../src/formats/index.ts';

const codeOf = (result: { readonly kind: string; readonly issue?: { readonly code: string } }): string =>
  result.kind === 'refused' ? (result.issue?.code ?? '') : result.kind;

describe('XML of a letter', () => {
  const elements = (count: number) => Buffer.from(`<a>${'<b/>'.repeat(count - 1)}</a>`);
  const nested = (depth: number) => Buffer.from('<a>'.repeat(depth) + '</a>'.repeat(depth));
  const attributes = (count: number) =>
    Buffer.from(`<a ${Array.from({ length: count }, (_one, n) => `a${n}=""`).join(' ')}/>`);
  it.each<[keyof typeof xmlLimits, (count: number) => Uint8Array]>([
    [
      'bytesMax',
      (count) => Buffer.from(`<a>${'x'.repeat(14 * 2 ** 20)}<b/>${'x'.repeat(count - 14 * 2 ** 20 - 11)}</a>`),
    ],
    ['depthMax', nested],
    ['elementsMax', elements],
    ['attributesMax', attributes],
    ['nameLengthMax', (count) => Buffer.from(`<${'a'.repeat(count)}/>`)],
    ['textLengthMax', (count) => Buffer.from(`<a>${'x'.repeat(count)}</a>`)],
  ])('is taken at xml.%s and refused beyond', (name, make) => {
    expect(codeOf(parseXml(make(xmlLimits[name])))).toBe('tree');
    expect(codeOf(parseXml(make(xmlLimits[name] + 1)))).toBe('too-costly');
  });
});

describe('Carriers of letters', () => {
  it('are refused beyond zip.bytesMax, mail.bytesMax and hl7.bytesMax', async () => {
    expect(codeOf(await readZip(Buffer.alloc(zipLimits.bytesMax + 1)))).toBe('too-costly');
    expect(codeOf(await readMail(Buffer.alloc(mailLimits.bytesMax + 1)))).toBe('too-costly');
    expect(codeOf(parseHl7(Buffer.alloc(hl7Limits.bytesMax + 1)))).toBe('too-costly');
  });

  it('are refused beyond mail.headersMax, mail.headerBytesMax and mail.partsMax', async () => {
    const mail = (headers: string, body = 'x') => Buffer.from(`From: a@mssante.fr\r\n${headers}\r\n${body}`);
    const headers = (count: number) => mail('X-A: 1\r\n'.repeat(count - 1));
    expect(codeOf(await readMail(headers(mailLimits.headersMax)))).not.toBe('too-costly');
    expect(codeOf(await readMail(headers(mailLimits.headersMax + 1)))).toBe('too-costly');
    expect(codeOf(await readMail(mail(`X-A: ${'x'.repeat(mailLimits.headerBytesMax)}\r\n`)))).toBe('too-costly');
    const parts = `${'--b\r\nContent-Type: text/plain\r\n\r\nx\r\n'.repeat(mailLimits.partsMax * 2 + 1)}--b--\r\n`;
    expect(codeOf(await readMail(mail('Content-Type: multipart/mixed; boundary=b\r\n', parts)))).toBe('too-costly');
  });

  it('are refused beyond hl7.segmentsMax and hl7.fieldsMax', () => {
    const message = (rest: string) => Buffer.from(`MSH|^~\\&|A|B|C|D|20260302||MDM^T02^MDM_T02|1|P|2.5\r${rest}`);
    expect(codeOf(parseHl7(message('NTE|1\r'.repeat(hl7Limits.segmentsMax - 1))))).toBe('message');
    expect(codeOf(parseHl7(message('NTE|1\r'.repeat(hl7Limits.segmentsMax))))).toBe('too-costly');
    expect(codeOf(parseHl7(message(`NTE${'|'.repeat(hl7Limits.fieldsMax + 1)}\r`)))).toBe('too-costly');
  });
});

describe('FHIR XML', () => {
  const definitions = loadDefinitions();
  const nested = (depth: number) =>
    Buffer.from(
      `<Basic xmlns="http://hl7.org/fhir">${'<extension url="urn:x">'.repeat(depth)}${'</extension>'.repeat(depth)}</Basic>`,
    );
  it('is refused beyond fhirXml.depthMax and fhirXml.attributesMax', () => {
    expect(() => readFhirXml(nested(fhirXmlLimits.depthMax - 2), definitions)).not.toThrow();
    expect(() => readFhirXml(nested(fhirXmlLimits.depthMax + 1), definitions)).toThrow(/100/);
    const many = Array.from({ length: fhirXmlLimits.attributesMax + 1 }, (_one, n) => `xmlns:a${n}="urn:${n}"`);
    expect(() =>
      readFhirXml(Buffer.from(`<Basic xmlns="http://hl7.org/fhir" ${many.join(' ')}/>`), definitions),
    ).toThrow(/50/);
  });
});

describe('An expression', () => {
  const isRead = (text: string) => parseExpression(text).kind !== 'fault';
  it('is read at expression.charactersMax, expression.nodesMax and expression.depthMax, and refused beyond', () => {
    const { charactersMax, nodesMax, depthMax } = expressionLimits;
    const padded = (length: number) => 'true'.padEnd(length);
    expect([isRead(padded(charactersMax)), isRead(padded(charactersMax + 1))]).toEqual([true, false]);
    const sum = (count: number) => Array(count).fill('1').join('+');
    expect([isRead(sum(nodesMax + 1)), isRead(sum(nodesMax + 2))]).toEqual([true, false]);
    const brackets = (depth: number) => `${'('.repeat(depth)}true${')'.repeat(depth)}`;
    expect([isRead(brackets(depthMax / 2)), isRead(brackets(depthMax + 1))]).toEqual([true, false]);
  });
});
