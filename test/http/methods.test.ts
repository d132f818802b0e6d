/** Methods that are not served: 405 with Allow (https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6), and headers that are no JSON. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  await test.client.putAll({ resourceType: 'Patient', id: 'm' });
});
afterAll(() => test?.close());

/** fetch() refuses TRACE. */
function send(method: string, path: string): Promise<{ readonly status: number; readonly allow: string | undefined }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${test.client.baseUrl}/${path}`, { method }, (answer) => {
      answer.resume().on('end', () => resolve({ status: answer.statusCode ?? 0, allow: answer.headers.allow }));
    });
    sent.on('error', reject).end();
  });
}

describe('A method that is not served', () => {
  it.each([
    ['POST', 'Patient/m', 'GET, HEAD, PUT, PATCH, DELETE'],
    ['OPTIONS', 'Patient', 'GET, HEAD, POST, PUT, PATCH, DELETE'],
    ['OPTIONS', 'metadata', 'GET, HEAD'],
    ['TRACE', 'Patient/m', 'GET, HEAD, PUT, PATCH, DELETE'],
    ['PUT', 'Patient/m/_history/1', 'GET, HEAD'],
    ['GET', 'Patient/_search', 'POST'],
    ['GET', 'DocumentReference/$ingest', 'POST'],
    ['DELETE', '$meta', 'GET, HEAD, POST'],
  ])('%s %s is 405 and told what is (H16)', async (method, path, allow) => {
    const answer = await send(method, path);
    expect(answer.status).toBe(405);
    expect(answer.allow?.split(', ').sort()).toEqual(allow.split(', ').sort());
  });

  it('does nothing, whatever X-HTTP-Method-Override says (H16)', async () => {
    const { status } = await test.client.get('Patient/m', { 'x-http-method-override': 'DELETE' });
    expect([status, (await test.client.get('Patient/m')).status]).toEqual([200, 200]);
  });
});

describe('A header X-Provenance that is no JSON', () => {
  it('is named, not the body, in both languages', async () => {
    const headers = { 'x-provenance': '{"resourceType":' };
    const body = { resourceType: 'Patient' };
    const english = await test.client.send('POST', 'Patient', { body, headers });
    expect([english.status, english.json.issue[0].details.text]).toEqual([
      400,
      'the header X-Provenance is not valid JSON',
    ]);
    const french = await test.client.send('POST', 'Patient', {
      body,
      headers: { ...headers, 'accept-language': 'fr' },
    });
    expect(french.json.issue[0].details.text).toBe('l’en-tête X-Provenance n’est pas du JSON valide');
  });
});

describe('Who asks for English', () => {
  it('gets it of letters too, which are judged in French', async () => {
    const given = { body: Buffer.from('<a/>'), type: 'application/cda+xml' };
    const french = await test.client.send('POST', 'DocumentReference/$ingest', given);
    const english = await test.client.send('POST', 'DocumentReference/$ingest', {
      ...given,
      headers: { 'accept-language': 'en' },
    });
    expect(french.json.issue[0].details.text).toContain('la racine n’est pas ClinicalDocument');
    expect(english.json.issue[0].details.text).toContain('the root is not ClinicalDocument');
  });
});
