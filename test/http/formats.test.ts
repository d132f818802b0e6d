/**
 * The form of answers (https://hl7.org/fhir/R4/http.html#mime-type, #parameters; search.html#summary, #elements): JSON and XML both
 * ways, indented, in parts, packed, in French.
 */
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { frenchOf } from '../../src/http/french.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client } from '../support/client.ts';

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.send('PUT', 'Observation/o1', { body: observation });
  await client.putAll(patient);
});
afterAll(() => test?.close());

const observation =
  '{"resourceType":"Observation","id":"o1","text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">Poids</div>"},' +
  '"status":"final","code":{"text":"Poids"},"_effectiveDateTime":{"extension":[{"url":"urn:x","valueDecimal":1.10}]},"valueQuantity":{"value":72.50,"unit":"kg"}}';

const patient = {
  resourceType: 'Patient',
  id: 'p1',
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">LE GUEN</div>' },
  active: true,
  name: [{ family: 'Le Guen', given: ['Anaïg'] }],
  gender: 'female',
  photo: [{ contentType: 'image/png', data: 'iVBORw0KGgo=' }],
  maritalStatus: { text: 'mariée' },
};

const xml = { accept: 'application/fhir+xml' };

describe('XML', () => {
  it.each([
    ['Accept', 'Observation/o1', xml],
    ['_format', 'Observation/o1?_format=xml', {}],
    ['_format over Accept', 'Observation/o1?_format=application/fhir%2Bxml', { accept: 'application/fhir+json' }],
    ['_format with a bare plus', 'Observation/o1?_format=application/fhir+xml', {}],
    ['the preferred type', 'Observation/o1', { accept: 'application/fhir+json;q=0.5, application/fhir+xml' }],
  ])('is answered as %s says, digits and extensions included', async (_what, path, headers) => {
    const reply = await client.get(path, headers);
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/fhir+xml; charset=utf-8']);
    expect(reply.headers.get('etag')).toBe('W/"1"');
    expect(reply.text).toContain('<value value="72.50"/>');
    expect(reply.text).toContain('<valueDecimal value="1.10"/>');
  });

  it('is taken, and gives the same JSON again', async () => {
    const { text } = await client.get('Observation/o1', xml);
    const copy = text.replace('<id value="o1"/>', '<id value="o2"/>');
    const made = await client.send('PUT', 'Observation/o2', { body: copy, type: 'application/fhir+xml' });
    expect([made.status, made.headers.get('content-type')]).toEqual([201, 'application/fhir+json; charset=utf-8']);
    const one = (await client.get('Observation/o1')).text;
    expect((await client.get('Observation/o2')).text).toBe(one.replace('"id":"o1"', '"id":"o2"'));
  });

  it('is the form of Bundles, capabilities, errors and forms too', async () => {
    const search = await client.send('POST', 'Observation/_search', {
      body: '_id=o1',
      type: 'application/x-www-form-urlencoded',
      headers: xml,
    });
    expect(search.text).toMatch(/^<\?xml[^>]*><Bundle xmlns="http:\/\/hl7.org\/fhir">.*<value value="72.50"\/>/s);
    expect((await client.get('metadata', xml)).text).toContain('<CapabilityStatement xmlns="http://hl7.org/fhir">');
    expect((await client.get('Observation/o1/_history', xml)).text).toContain('<type value="history"/>');
    const missing = await client.get('Observation/none', xml);
    expect([missing.status, missing.headers.get('content-type')]).toEqual([404, 'application/fhir+xml; charset=utf-8']);
    expect(missing.text).toContain('<OperationOutcome xmlns="http://hl7.org/fhir">');
  });

  it('carries a transaction in and out', async () => {
    const body = `<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/><entry><resource><Basic><code><text value="x"/></code></Basic></resource><request><method value="POST"/><url value="Basic"/></request></entry></Bundle>`;
    const reply = await client.send('POST', '', { body, type: 'application/fhir+xml', headers: xml });
    expect(reply.status).toBe(200);
    expect(reply.text).toMatch(/<response><status value="201"\/><location value="[^"]*Basic\//);
  });

  it.each([
    ['an entity', '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"/>'],
    ['an unknown element', '<Patient xmlns="http://hl7.org/fhir"><nmae value="x"/></Patient>'],
    ['no XML at all', '{"resourceType":"Patient"}'],
  ])('with %s is refused', async (_what, body) => {
    const reply = await client.send('POST', 'Patient', { body, type: 'application/fhir+xml' });
    expect([reply.status, reply.json.resourceType]).toEqual([400, 'OperationOutcome']);
    expect(reply.text).not.toContain('root:');
  });
});

describe('Pretty', () => {
  it('indents JSON without touching numbers and texts', async () => {
    const [plain, pretty] = [await client.get('Observation/o1'), await client.get('Observation/o1?_pretty=true')];
    expect(pretty.json).toEqual(plain.json);
    expect(pretty.text).toContain('\n  "valueQuantity": {\n    "value": 72.50,\n    "unit": "kg"\n  }');
  });

  it('indents XML', async () => {
    expect((await client.get('Observation/o1?_pretty=true', xml)).text).toContain('\n  <status value="final"/>');
  });
});

describe('Parts of resources', () => {
  const elements = async (path: string) => Object.keys((await client.get(path)).json as object).sort();

  it.each([
    ['true', ['active', 'gender', 'id', 'meta', 'name', 'resourceType']],
    ['text', ['id', 'meta', 'resourceType', 'text']],
    ['data', ['active', 'gender', 'id', 'maritalStatus', 'meta', 'name', 'photo', 'resourceType']],
    ['false', ['active', 'gender', 'id', 'maritalStatus', 'meta', 'name', 'photo', 'resourceType', 'text']],
  ])('are those of _summary=%s, in a read and in a search', async (mode, expected) => {
    expect(await elements(`Patient/p1?_summary=${mode}`)).toEqual(expected);
    const { json } = await client.get(`Patient?_id=p1&_summary=${mode}`);
    expect(Object.keys(json.entry[0].resource as object).sort()).toEqual(expected);
    const isPart = mode !== 'false';
    expect(json.entry[0].resource.meta.tag?.[0]?.code).toBe(isPart ? 'SUBSETTED' : undefined);
  });

  it('are none with _summary=count', async () => {
    const { json } = await client.get('Patient?_id=p1&_summary=count');
    expect([json.total, json.entry]).toEqual([1, undefined]);
  });

  it('are those that _elements names, with what is mandatory', async () => {
    expect(await elements('Patient/p1?_elements=gender')).toEqual(['gender', 'id', 'meta', 'resourceType']);
    const { json } = await client.get('Observation?_id=o1&_elements=Observation.value,code');
    expect(Object.keys(json.entry[0].resource as object).sort()).toEqual(
      ['code', 'id', 'meta', 'resourceType', 'status', 'valueQuantity'].sort(),
    );
  });

  it('reach into history, and keep the digits', async () => {
    const { text, json } = await client.get('Observation/o1/_history?_elements=value');
    expect(Object.keys(json.entry[0].resource as object)).toContain('valueQuantity');
    expect(text).toContain('72.50');
  });

  it.each(['Patient/p1?_summary=all', 'Patient/p1?_elements=nonsense', 'Patient/p1?_elements=name&_summary=true'])(
    'asked for as %s are refused',
    async (path) => expect((await client.get(path)).status).toBe(400),
  );
});

/** As a client without a library of its own would: nothing is unpacked on the way. */
function raw(
  path: string,
  headers: http.OutgoingHttpHeaders,
  body?: Buffer,
  method = body === undefined ? 'GET' : 'POST',
): Promise<http.IncomingMessage & { body: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = http.request(`${client.baseUrl}/${path}`, { method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve(Object.assign(response, { body: Buffer.concat(parts) })));
    });
    request.on('error', reject);
    request.end(body);
  });
}

describe('Compression', () => {
  it('tells in HEAD no length that GET would not have', async () => {
    const length = async (encoding?: string) => {
      const headers = encoding === undefined ? {} : { 'accept-encoding': encoding };
      return (await raw('metadata', headers, undefined, 'HEAD')).headers['content-length'];
    };
    const plain = await raw('metadata', {});
    expect([await length(), await length('gzip')]).toEqual([String(plain.body.length), undefined]);
  });

  it.each([
    ['gzip', gunzipSync],
    ['br', brotliDecompressSync],
  ])('packs answers with %s for who asks', async (encoding, unpack) => {
    const reply = await raw('metadata', { 'accept-encoding': encoding });
    expect(reply.headers).toMatchObject({
      'content-encoding': encoding,
      vary: expect.stringMatching(/accept-encoding/i),
    });
    expect(JSON.parse(unpack(reply.body).toString('utf8'))).toMatchObject({ resourceType: 'CapabilityStatement' });
  });

  it('leaves small answers and other clients alone', async () => {
    expect((await raw('Patient/none', { 'accept-encoding': 'gzip' })).headers['content-encoding']).toBeUndefined();
    expect((await raw('metadata', {})).headers['content-encoding']).toBeUndefined();
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('unpacks bodies of %s', async (encoding, pack) => {
    const body = pack(JSON.stringify({ resourceType: 'Basic', code: { text: 'x' } }));
    const headers = { 'content-type': 'application/fhir+json', 'content-encoding': encoding };
    expect((await raw('Basic', headers, body)).statusCode).toBe(201);
  });

  it.each([
    ['what it does not know', 'compress', Buffer.from('x'), 415],
    ['what is not packed as it says', 'gzip', Buffer.from('{"resourceType":"Basic"}'), 400],
    ['what unpacks to more than a body may have', 'gzip', gzipSync(Buffer.alloc(60 * 1024 * 1024)), 413],
  ])('refuses %s', async (_what, encoding, body, status) => {
    const reply = await raw('Basic', { 'content-type': 'application/fhir+json', 'content-encoding': encoding }, body);
    expect(reply.statusCode).toBe(status);
    expect(JSON.parse(reply.body.toString('utf8'))).toMatchObject({ resourceType: 'OperationOutcome' });
  });
});

describe('The language of outcomes', () => {
  it.each([
    ['fr-FR,fr;q=0.9,en;q=0.5', 'aucune ressource Patient avec cet id'],
    ['de, fr;q=0.5', 'aucune ressource Patient avec cet id'],
    ['en', 'no Patient with this id'],
    ['de', 'no Patient with this id'],
  ])('follows Accept-Language: %s', async (language, text) => {
    const reply = await client.get('Patient/none', { 'accept-language': language });
    expect(reply.json.issue[0].details.text).toBe(text);
    const isFrench = text.startsWith('aucune');
    expect([reply.json.language, reply.headers.get('content-language')]).toEqual(
      isFrench ? ['fr', 'fr'] : [undefined, null],
    );
  });

  it('says in French what was found, what was expected, and where', async () => {
    const body = { resourceType: 'Patient', active: 'yes', nmae: 1 };
    const { json } = await client.post('Patient', body, { 'accept-language': 'fr' });
    const told = json.issue.map((issue: { details: { text: string }; expression: string[] }) => [
      issue.expression[0],
      issue.details.text,
    ]);
    expect(told.sort()).toEqual([
      ['Patient.active', 'true ou false attendu, un autre texte trouvé'],
      ['Patient.nmae', 'il n’y a pas d’élément de ce nom ici'],
    ]);
  });

  it('reaches outcomes inside a batch', async () => {
    const entry = [{ request: { method: 'GET', url: 'Patient/none' } }];
    const { json } = await client.post(
      '',
      { resourceType: 'Bundle', type: 'batch', entry },
      { 'accept-language': 'fr' },
    );
    expect(json.entry[0].response.outcome.issue[0].details.text).toBe('aucune ressource Patient avec cet id');
  });

  it('translates parts within a text, and a parameter before it', () => {
    expect(frenchOf('the body is not valid JSON: line 2, column 7')).toBe(
      'le corps n’est pas du JSON valide : ligne 2, colonne 7',
    );
    expect(frenchOf('parameter birthdate: a value is empty')).toBe('paramètre birthdate : une valeur est vide');
    expect(frenchOf('a text that nobody has translated')).toBeUndefined();
  });
});
