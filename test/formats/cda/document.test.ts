/** CDA R2 header and body as plain values, and the XPath of each fault. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { type ClinicalDocument, parseXml, plainText, readClinicalDocument } from '../../../src/formats/index.ts';

const fixtures = new URL('../../letters/fixtures/', import.meta.url);
const discharge = readFileSync(new URL('discharge.xml', fixtures), 'utf8');
const pdf = readFileSync(new URL('discharge-pdf.xml', fixtures), 'utf8');

function read(source: string) {
  const xml = parseXml(new TextEncoder().encode(source));
  if (xml.kind === 'refused') throw new Error(xml.issue.text);
  return readClinicalDocument(xml.root, 'Europe/Paris');
}

function documentOf(source: string): ClinicalDocument {
  const result = read(source);
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.issues));
  return result.document;
}

function faultsOf(source: string) {
  return read(source).issues.map(({ severity, expression }) => `${severity} ${expression}`);
}

describe('the header', () => {
  const document = documentOf(discharge);

  test('says what the document is', () => {
    expect(document).toMatchObject({
      id: { root: '1.2.250.1.999.7.3.40.1' },
      code: { code: '11490-0', system: '2.16.840.1.113883.6.1' },
      effectiveTime: '2026-03-02T16:05:00+01:00',
      language: 'fr-FR',
      versionNumber: 1,
    });
    expect(read(discharge).issues).toEqual([]);
  });

  test('keeps every name of the patient with its qualifier, in whatever order', () => {
    expect(document.patient.names[0]).toMatchObject({
      families: [
        { text: 'KERDONCUFF', qualifier: 'BR' },
        { text: 'BRUNEL', qualifier: 'CL' },
      ],
      givens: [
        { text: 'SOLENE ANNE-MARIE', qualifier: undefined },
        { text: 'SOLENE', qualifier: 'BR' },
        { qualifier: 'CL' },
      ],
    });
    expect(document.patient).toMatchObject({ birthTime: '1958-05-14', gender: { code: 'F' } });
    expect(document.patient.birthplace?.address?.parts).toContainEqual({ name: 'county', text: '99999' });
  });

  test('reads every kind of participation into one shape', () => {
    expect(document.authors[0]).toMatchObject({
      time: { start: '2026-03-02T15:45:00+01:00' },
      party: { ids: [{ extension: '810009900011' }], organization: { ids: [{ extension: '1990000012' }] } },
    });
    expect(document.informants[0]?.party).toMatchObject({ classCode: 'ECON', code: { code: 'DAU' } });
    expect(document.participants[0]).toMatchObject({
      functionCode: { code: 'PCP' },
      party: { ids: [{ extension: '810009900029' }] },
    });
    expect(document.encounter).toMatchObject({
      ids: [{ root: '1.2.250.1.999.7.2', extension: 'SEJ-26-00311' }],
      time: { start: '2026-02-23T07:45:00+01:00', end: '2026-03-02T16:20:00+01:00' },
      facility: { code: { code: 'SA01' } },
    });
  });

  test('names its guardian, device author, order and data enterer when it has them', () => {
    const source = discharge
      .replace(
        '<birthplace>',
        '<guardian><guardianPerson><name><family>BRUNEL</family></name></guardianPerson></guardian><birthplace>',
      )
      .replace(
        '<informant>',
        '<author><time value="20260302"/><assignedAuthor><id root="1.2.250.1.999.9"/><assignedAuthoringDevice>' +
          '<softwareName>DPI</softwareName></assignedAuthoringDevice></assignedAuthor></author>' +
          '<dataEnterer><assignedEntity><id root="1.2.250.1.999.8"/></assignedEntity></dataEnterer><informant>',
      )
      .replace(
        '<documentationOf>',
        '<inFulfillmentOf><order><id root="1.2.250.1.999.6"/></order></inFulfillmentOf><documentationOf>',
      );
    const changed = documentOf(source);
    expect(changed.patient.guardians[0]?.name?.families[0]?.text).toBe('BRUNEL');
    expect(changed.authors[1]?.party.device).toMatchObject({ software: 'DPI' });
    expect(changed.dataEnterer?.party.ids).toMatchObject([{ root: '1.2.250.1.999.8' }]);
    expect(changed.orders).toMatchObject([{ root: '1.2.250.1.999.6' }]);
  });
});

describe('a document without what identifies it is refused with the place', () => {
  test.each([
    ['another root', discharge.replaceAll('ClinicalDocument', 'Bundle'), '/Bundle'],
    ['X8: another namespace', discharge.replace('urn:hl7-org:v3', 'urn:other'), '/ClinicalDocument'],
    ['no id', discharge.replace(/<id root="1\.2\.250\.1\.999\.7\.3\.40\.1"\/>/, ''), '/ClinicalDocument/id'],
    ['no code', discharge.replace(/<code code="11490-0"[^>]*>/, ''), '/ClinicalDocument/code'],
    [
      'no patient',
      discharge.replace(/<recordTarget>[^]*<\/recordTarget>/, ''),
      '/ClinicalDocument/recordTarget/patientRole/patient',
    ],
    ['two patients', discharge.replace(/<recordTarget>[^]*<\/recordTarget>/, '$&$&'), '/ClinicalDocument/recordTarget'],
    ['no body', discharge.replace(/<component>[^]*<\/component>/, ''), '/ClinicalDocument/component'],
    [
      'X16: month 13',
      discharge.replace('value="20260302160500+0100"', 'value="20241301"'),
      '/ClinicalDocument/effectiveTime/@value',
    ],
    [
      'X16: an impossible discharge',
      discharge.replace(/(?<=<encompassingEncounter>[^]*?<high value=")[^"]*/, '20240101+9999'),
      '/ClinicalDocument/componentOf/encompassingEncounter/effectiveTime/high/@value',
    ],
    [
      'an impossible birth',
      discharge.replace('19580514', '19581514'),
      '/ClinicalDocument/recordTarget/patientRole/patient/birthTime/@value',
    ],
  ])('%s', (_, source, expression) => {
    const result = read(source);
    expect(result.kind).toBe('refused');
    expect(result.issues.filter(({ severity }) => severity === 'error').map((issue) => issue.expression)).toEqual([
      expression,
    ]);
  });

  test('a crowd in the header is refused before anything else is read', () => {
    const source = discharge.replace(
      '<informant>',
      `${'<participant typeCode="IND"><associatedEntity/></participant>'.repeat(5000)}<informant>`,
    );
    expect(faultsOf(source)).toEqual(['error /ClinicalDocument']);
  });
});

describe('a document with lesser faults is read, and they are told', () => {
  test.each([
    ['no custodian', discharge.replace(/<custodian>[^]*<\/custodian>/, ''), 'warning /ClinicalDocument/custodian'],
    ['no setId', discharge.replace(/<setId[^>]*>/, ''), 'warning /ClinicalDocument/setId'],
    [
      'a version that is no number',
      discharge.replace('<versionNumber value="1"/>', '<versionNumber value="un"/>'),
      'warning /ClinicalDocument/versionNumber/@value',
    ],
    [
      'X13: no confidentiality',
      discharge.replace(/<confidentialityCode[^>]*>/, ''),
      'warning /ClinicalDocument/confidentialityCode',
    ],
    [
      'an unreadable time of signature',
      discharge.replace('<legalAuthenticator>\n    <time value="2026', '<legalAuthenticator>\n    <time value="x'),
      'warning /ClinicalDocument/legalAuthenticator/time/@value',
    ],
    [
      'a time without offset',
      discharge.replace('<time value="20260302154500+0100"/>', '<time value="20260302154500"/>'),
      'information /ClinicalDocument/author/time/@value',
    ],
    [
      'an identifier without a real root',
      discharge.replace('root="1.2.250.1.999.7.1"', 'root="xxxx"'),
      'warning /ClinicalDocument/recordTarget/patientRole/id[2]/@root',
    ],
  ])('%s', (_, source, fault) => {
    expect(read(source).kind).toBe('document');
    expect(faultsOf(source)).toEqual([fault]);
  });

  test('a thousand faults are not told a thousand times', () => {
    const source = discharge.replace(
      '<informant>',
      `${'<authenticator><assignedEntity><id root="x"/></assignedEntity></authenticator>'.repeat(1000)}<informant>`,
    );
    expect(faultsOf(source)).toHaveLength(100);
  });

  test('no fault quotes the patient', () => {
    expect(JSON.stringify(read(discharge.replace('19580514', 'MARKER')).issues)).not.toContain('MARKER');
  });
});

describe('the body', () => {
  test('of level 3 is a list of sections with narrative and entries', () => {
    const { body } = documentOf(discharge);
    if (body.kind !== 'structured') throw new Error('level 3 expected');
    expect(body.sections.map(({ code }) => code?.code)).toEqual([
      '33557-0',
      '42349-1',
      '42545-4',
      '10183-2',
      '18610-6',
      '30954-2',
      '18776-5',
    ]);
    expect(body.sections[2]?.entries.map(({ name }) => name)).toEqual(Array(7).fill('observation'));
  });

  test('of level 1 is the file', () => {
    const { body } = documentOf(pdf);
    if (body.kind !== 'unstructured') throw new Error('level 1 expected');
    expect(body.mediaType).toBe('application/pdf');
    expect(Buffer.from(body.read()).toString('latin1')).toMatch(/^%PDF-1\.4[^]*%%EOF\n$/);
  });

  test('of level 1 may lack its padding', () => {
    const source = pdf.replace(
      /<text [^>]*>[^]*<\/text>/,
      '<text mediaType="text/plain" representation="B64">w6l0YQ</text>',
    );
    const { body } = documentOf(source);
    if (body.kind !== 'unstructured') throw new Error('unstructured expected');
    expect([body.read(), body.read(2)]).toEqual([Buffer.from('éta'), Buffer.from('é')]);
  });

  const text = '/ClinicalDocument/component/nonXMLBody/text';
  test.each([
    ['X11: a file elsewhere', '<text mediaType="application/pdf"><reference value="file:///etc/passwd"/></text>', text],
    ['X11: a URL', '<text mediaType="application/pdf"><reference value="http://127.0.0.1:9/x.pdf"/></text>', text],
    ['nothing', '<text mediaType="application/pdf" representation="B64"/>', text],
    ['a format not on the list', '<text mediaType="text/html" representation="B64">PGE+</text>', `${text}/@mediaType`],
    [
      'characters outside the alphabet',
      '<text mediaType="application/pdf" representation="B64">JVBE*Rg==</text>',
      text,
    ],
    ['base64 cut short', '<text mediaType="application/pdf" representation="B64">JVBER</text>', text],
    ['a PDF as text', '<text mediaType="application/pdf">%PDF-1.4</text>', `${text}/@representation`],
  ])('of level 1 is refused when it is %s', (_, by, expression) => {
    const source = pdf.replace(/<text [^>]*>[^]*<\/text>/, by);
    expect(faultsOf(source)).toEqual([`error ${expression}`]);
  });

  test('of a file that displays itself is found, and its stylesheet left alone', () => {
    const inner = discharge.replace(/^<\?xml[^>]*\?>/, '');
    const source =
      '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:import href="http://127.0.0.1:9/"/>' +
      `<c:Contenu xmlns:c="urn:asip-sante:ci-sis">${inner}</c:Contenu></xsl:stylesheet>`;
    expect(documentOf(source).id.root).toBe('1.2.250.1.999.7.3.40.1');
  });
});

describe('narrative as plain text', () => {
  const narrative = (content: string) => {
    const xml = parseXml(new TextEncoder().encode(`<text>${content}</text>`));
    if (xml.kind === 'refused') throw new Error(xml.issue.text);
    return plainText(xml.root, 40);
  };
  test.each([
    ['words', ' une  phrase\n coupée ', 'une phrase coupée'],
    ['paragraphs', '<paragraph>a</paragraph><paragraph>b</paragraph>', 'a\nb'],
    [
      'a table',
      '<table><thead><tr><th>h</th></tr></thead><tbody><tr><td>a</td><td><content ID="x">b</content></td></tr></tbody></table>',
      'h\na | b',
    ],
    ['a break', 'a<br/>b', 'a\nb'],
    [
      'X10: scripts and links are only their text',
      '<linkHtml href="javascript:alert(1)">a</linkHtml><content onmouseover="x()">b</content>',
      'ab',
    ],
    ['nothing', '<table><tbody><tr><td> </td></tr></tbody></table>', undefined],
  ])('reads %s', (_, content, expected) => {
    expect(narrative(content)).toBe(expected);
  });

  test('of any size is cut soon', () => {
    const start = performance.now();
    expect(narrative(`${'<td/>'.repeat(100_000)}x`)).toBe('…');
    expect(narrative(`a${' '.repeat(1000)}b`)).toBe('a…');
    expect(narrative('mot '.repeat(1_000_000))).toMatch(/^(?:mot ){8}mot…$/);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test('is cut at a word', () => {
    expect(narrative('mot '.repeat(30))).toBe(`${'mot '.repeat(8)}mot…`);
  });
});
