/** Binary, raw and as a resource (https://hl7.org/fhir/R4/binary.html#rest; design.md section 5, decision 8). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client } from '../support/client.ts';

let test: TestApp;
let client: Client;
const bytes = Buffer.from([0x25, 0x50, 0x44, 0x46, 0x00, 0xff, 0xfe, 0x0a]);
const pdf = { resourceType: 'Binary', id: 'pdf', contentType: 'application/pdf', data: bytes.toString('base64') };

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
  await client.putAll(pdf);
});
afterAll(() => test?.close());

describe('A Binary', () => {
  it.each([
    ['no preference', undefined],
    ['any type', '*/*'],
    ['its own type', 'application/pdf'],
    ['a range around its type', 'text/html, application/*;q=0.5'],
  ])('is read as its bytes with %s', async (_what, accept) => {
    const reply = await client.get('Binary/pdf', accept === undefined ? {} : { accept });
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/pdf']);
    expect(reply.bytes.equals(bytes)).toBe(true);
    expect(reply.headers.get('etag')).toBe('W/"1"');
  });

  it('is read as a resource by a client that asks for FHIR', async () => {
    const reply = await client.get('Binary/pdf', { accept: 'application/fhir+json' });
    expect(reply.headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
    expect(reply.json).toMatchObject(pdf);
  });

  it('is 406 for a client that wants something else', async () => {
    expect((await client.get('Binary/pdf', { accept: 'image/png' })).status).toBe(406);
  });

  it('can be posted as it is, and comes back byte for byte', async () => {
    const made = await client.send('POST', 'Binary', { body: bytes, type: 'image/png' });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ resourceType: 'Binary', contentType: 'image/png' });
    const reply = await client.get(`Binary/${made.json.id}`);
    expect([reply.headers.get('content-type'), reply.bytes.equals(bytes)]).toEqual(['image/png', true]);
  });

  it('can be posted as a resource', async () => {
    const made = await client.post('Binary', { ...pdf, id: undefined });
    expect(made.status).toBe(201);
    expect((await client.get(`Binary/${made.json.id}`)).bytes.equals(bytes)).toBe(true);
  });

  it('keeps its versions and deletion like any resource', async () => {
    await client.putAll({ ...pdf, id: 'gone' });
    await client.remove('Binary/gone');
    expect((await client.get('Binary/gone')).status).toBe(410);
    expect((await client.get('Binary/never')).status).toBe(404);
    expect((await client.get('Binary/gone/_history')).json.entry).toHaveLength(2);
  });

  it.each(['text/html', 'image/svg+xml', 'application/xhtml+xml'])(
    'of the type %s is never served as a page (J15)',
    async (contentType) => {
      const body = { resourceType: 'Binary', contentType, data: Buffer.from('<script>1</script>').toString('base64') };
      const made = await client.post('Binary', body);
      const reply = await client.get(`Binary/${made.json.id}`, { accept: 'text/html,*/*' });
      expect(reply.status).toBe(200);
      expect(Object.fromEntries(reply.headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringContaining('sandbox'),
        'content-disposition': expect.stringMatching(/^attachment/),
      });
    },
  );

  it.each([
    ['without content type', { resourceType: 'Binary', data: 'AA==' }, 400],
    ['whose data is no base64', { resourceType: 'Binary', contentType: 'text/plain', data: 'é?' }, 400],
    [
      'with a content type that would break a header',
      { resourceType: 'Binary', contentType: 'text/plain\r\nset-cookie: a=b', data: 'AA==' },
      400,
    ],
  ])('%s is refused', async (_what, body, status) => {
    expect((await client.post('Binary', body)).status).toBe(status);
  });

  it('without any bytes is refused, and one without data is read as empty', async () => {
    expect((await client.send('POST', 'Binary', { type: 'image/png' })).status).toBe(400);
    await client.putAll({ resourceType: 'Binary', id: 'empty', contentType: 'text/plain' });
    const reply = await client.get('Binary/empty');
    expect([reply.status, reply.bytes.length]).toEqual([200, 0]);
  });
});
