/** Parts of a resource: https://hl7.org/fhir/R4/search.html#summary and #elements. */
import { describe, expect, it } from '@jest/globals';
import { Problem } from '../../src/base/index.ts';
import {
  loadDefinitions,
  parseJson,
  readElements,
  type Resource,
  selectElements,
  serializeJson,
  subsettedTag,
  summarize,
} from '../../src/fhir/index.ts';

const definitions = loadDefinitions();
const parsed = (text: string): Resource => parseJson(text) as Resource;

const document = parsed(`{
  "resourceType": "DocumentReference", "id": "d1", "meta": { "versionId": "2", "tag": [{ "code": "x" }] },
  "text": { "status": "generated", "div": "<div xmlns=\\"http://www.w3.org/1999/xhtml\\">Lettre</div>" },
  "contained": [{ "resourceType": "Organization", "id": "o" }],
  "extension": [{ "url": "urn:a", "valueDecimal": 1.5 }],
  "status": "current", "_status": { "extension": [{ "url": "urn:b", "valueCode": "c" }] },
  "type": { "text": "CR", "extension": [{ "url": "urn:c", "valueDecimal": 2 }] },
  "custodian": { "reference": "#o" },
  "content": [{ "attachment": { "contentType": "text/plain", "data": "YQ==" }, "format": { "code": "f" } }]
}`);
const meta = { versionId: '2', tag: [{ code: 'x' }, subsettedTag] };
const base = { resourceType: 'DocumentReference', id: 'd1', meta };
const status = { status: 'current', _status: { extension: [{ url: 'urn:b', valueCode: 'c' }] } };

describe('summarize', () => {
  it('true: keeps what the definitions mark, at each level, and what is mandatory', () => {
    expect(summarize(document, 'true', definitions)).toEqual({
      ...base,
      ...status,
      type: { text: 'CR', extension: [{ url: 'urn:c', valueDecimal: 2 }] },
      content: [{ attachment: { contentType: 'text/plain' }, format: { code: 'f' } }],
    });
  });

  it('text: keeps narrative, id, meta and what is mandatory', () => {
    expect(summarize(document, 'text', definitions)).toEqual({
      ...base,
      ...status,
      text: document['text'],
      content: document['content'],
    });
  });

  it('data: keeps all but the narrative', () => {
    const { text: _gone, ...rest } = document;
    expect(summarize(document, 'data', definitions)).toEqual({ ...rest, meta });
  });

  it('drops what has nothing left, and leaves the resource itself as it was', () => {
    const scan = parsed(
      '{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"data":"YQ=="}}]}',
    );
    expect(summarize(scan, 'true', definitions)).toEqual({
      resourceType: 'DocumentReference',
      meta: { tag: [subsettedTag] },
      status: 'current',
    });
    const before = serializeJson(document);
    summarize(document, 'true', definitions);
    expect(serializeJson(document)).toBe(before);
  });

  it('keeps choices and the digits of decimals', () => {
    const observation = parsed(
      '{"resourceType":"Observation","status":"final","valueQuantity":{"value":1.50},"interpretation":[{"text":"a"}]}',
    );
    expect(serializeJson(summarize(observation, 'true', definitions))).toMatch(
      /^\{.*"valueQuantity":\{"value":1\.50\},"meta"/,
    );
  });

  it('tags once', () => {
    const once = summarize(document, 'data', definitions);
    expect(summarize(once, 'data', definitions)).toEqual(once);
  });
});

describe('selectElements', () => {
  it('keeps the elements named, their extensions, and what is mandatory', () => {
    expect(selectElements(document, new Set(['type']), definitions)).toEqual({
      ...base,
      ...status,
      type: document['type'],
      content: document['content'],
    });
    const patient = parsed(
      '{"resourceType":"Patient","deceasedBoolean":true,"birthDate":"1951","_birthDate":{"id":"a"},"gender":"male"}',
    );
    expect(selectElements(patient, new Set(['deceased', 'birthDate']), definitions)).toMatchObject({
      deceasedBoolean: true,
      birthDate: '1951',
      _birthDate: { id: 'a' },
    });
    expect(selectElements(patient, new Set(['deceased']), definitions)['gender']).toBeUndefined();
  });
});

describe('readElements', () => {
  it('reads names that one of the types has', () => {
    expect(readElements('identifier, birthDate,status', ['Patient', 'Encounter'], definitions)).toEqual(
      new Set(['identifier', 'birthDate', 'status']),
    );
  });

  it.each(['', 'nom', 'Patient.name', 'name.family', 'constructor', '1 51 06 75 000 123'])('refuses %j', (text) => {
    expect(() => readElements(text, ['Patient'], definitions)).toThrow(Problem);
    expect(() => readElements(text, ['Patient'], definitions)).not.toThrow(/1 51/);
  });
});
