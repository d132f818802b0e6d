/** batch and transaction (https://hl7.org/fhir/R4/http.html#transaction). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client, Reply } from '../support/client.ts';
import { counts } from '../flows/view.ts';

let test: TestApp;
let client: Client;

beforeAll(async () => {
  test = await startTestApp();
  client = test.client;
});
afterAll(() => test?.close());

interface Entry {
  readonly fullUrl?: string;
  readonly resource?: object;
  readonly request: object;
}

const system = 'urn:oid:1.2.250.1.999.7.1';
const patientUrl = 'urn:uuid:0a6f6a0e-55b1-4f0b-9b44-0f1d1d6a5c01';
const stayUrl = 'urn:uuid:0a6f6a0e-55b1-4f0b-9b44-0f1d1d6a5c02';

function patient(value: string): object {
  return { resourceType: 'Patient', identifier: [{ system, value }], name: [{ family: 'Vauquelin' }] };
}

function stay(subject: string, more: object = {}): object {
  const coding = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' };
  return { resourceType: 'Encounter', status: 'planned', class: coding, subject: { reference: subject }, ...more };
}

function post(resource: object, more: Partial<Entry> & { ifNoneExist?: string } = {}): Entry {
  const { fullUrl, ifNoneExist } = more;
  const url = (resource as { resourceType: string }).resourceType;
  return {
    ...(fullUrl === undefined ? {} : { fullUrl }),
    resource,
    request: { method: 'POST', url, ...(ifNoneExist === undefined ? {} : { ifNoneExist }) },
  };
}

function send(type: 'batch' | 'transaction', entry: readonly Entry[], headers = {}): Promise<Reply> {
  return client.post('', { resourceType: 'Bundle', type, entry }, headers);
}

function responses(reply: Reply): { status: string; location?: string; etag?: string }[] {
  if (reply.status !== 200) throw new Error(reply.text);
  return (reply.json.entry as { response: { status: string } }[]).map(({ response }) => response);
}

/** `Type/id` of an entry's location. */
function target({ location = '' }: { location?: string }): string {
  return location.slice(client.baseUrl.length + 1).replace(/\/_history\/\d+$/, '');
}

describe('A transaction', () => {
  it('gives ids, rewrites the links between its entries and answers entry by entry', async () => {
    const reply = await send('transaction', [
      post(stay(patientUrl), { fullUrl: stayUrl }),
      post(patient('t1'), { fullUrl: patientUrl }),
      post({ ...patient('t1-text'), link: [{ other: { reference: patientUrl }, type: 'seealso' }] }),
    ]);
    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject({ resourceType: 'Bundle', type: 'transaction-response' });
    const [stayResponse, patientResponse, third] = responses(reply);
    expect([stayResponse?.status, patientResponse?.status]).toEqual(['201', '201']);
    expect(stayResponse?.etag).toBe('W/"1"');
    const stored = await client.read<{ subject: { reference: string } }>(target(stayResponse ?? {}));
    expect(stored.subject.reference).toBe(target(patientResponse ?? {}));
    const other = await client.read<{ link: { other: { reference: string } }[] }>(target(third ?? {}));
    expect(other.link[0]?.other.reference).toBe(target(patientResponse ?? {}));
    expect(await client.search(`Encounter?patient=${target(patientResponse ?? {})}`)).toHaveLength(1);
  });

  it('writes nothing when a link to another entry leads to a type that it may not lead to', async () => {
    const wrong = { ...patient('t1-wrong'), managingOrganization: { reference: patientUrl } };
    const reply = await send('transaction', [post(wrong), post(patient('t1-other'), { fullUrl: patientUrl })]);
    expect(reply.status).toBe(400);
    expect(reply.text).toContain('expected a reference to Organization');
  });

  it('answers the resources when the client prefers that', async () => {
    const reply = await send('transaction', [post(patient('t2'))], { prefer: 'return=representation' });
    expect(reply.json.entry[0].resource).toMatchObject({ resourceType: 'Patient', meta: { versionId: '1' } });
    const minimal = await send('transaction', [post(patient('t2b'))]);
    expect(minimal.json.entry[0].resource).toBeUndefined();
  });

  it('finds instead of making where ifNoneExist matches, and links to what it found', async () => {
    const made = await client.post('Patient', patient('t3'));
    const reply = await send('transaction', [
      post(patient('t3'), { fullUrl: patientUrl, ifNoneExist: `identifier=${system}|t3` }),
      post(stay(patientUrl)),
    ]);
    expect(responses(reply).map(({ status }) => status)).toEqual(['200', '201']);
    const stored = await client.read<{ subject: { reference: string } }>(target(responses(reply)[1] ?? {}));
    expect(stored.subject.reference).toBe(`Patient/${made.json.id}`);
    expect(await client.search('Patient?identifier=t3')).toHaveLength(1);
  });

  it('resolves conditional references', async () => {
    const made = await client.post('Patient', patient('t4'));
    const reply = await send('transaction', [post(stay(`Patient?identifier=${system}|t4`))]);
    const stored = await client.read<{ subject: { reference: string } }>(target(responses(reply)[0] ?? {}));
    expect(stored.subject.reference).toBe(`Patient/${made.json.id}`);
  });

  it('updates and deletes by criteria', async () => {
    const made = await client.post('Patient', patient('t5'));
    const url = `Patient?identifier=${system}|t5`;
    const updated = await send('transaction', [{ resource: patient('t5'), request: { method: 'PUT', url } }]);
    expect(responses(updated)).toMatchObject([{ status: '200', etag: 'W/"2"' }]);
    const deleted = await send('transaction', [{ request: { method: 'DELETE', url } }]);
    expect(responses(deleted).map(({ status }) => status)).toEqual(['204']);
    expect((await client.get(`Patient/${made.json.id}`)).status).toBe(410);
  });

  it('reads what it has written', async () => {
    const reply = await send('transaction', [
      { request: { method: 'GET', url: 'Patient/t6' } },
      { resource: { ...patient('t6'), id: 't6' }, request: { method: 'PUT', url: 'Patient/t6' } },
    ]);
    expect(reply.json.entry[0]).toMatchObject({ resource: { id: 't6' }, response: { status: '200', etag: 'W/"1"' } });
  });

  it('follows the order of the standard, whatever the order of its entries', async () => {
    await client.putAll({ ...patient('o1'), id: 'o1' } as never);
    const url = `Patient?identifier=${system}|o1`;
    const reply = await send('transaction', [
      { request: { method: 'GET', url } },
      post(patient('o1'), { ifNoneExist: `identifier=${system}|o1` }),
      { request: { method: 'DELETE', url: 'Patient/o1' } },
      { request: { method: 'HEAD', url: 'Patient?identifier=none' } },
    ]);
    expect(responses(reply).map(({ status }) => status)).toEqual(['200', '201', '204', '200']);
    const ids = (reply.json.entry[0].resource.entry as { resource: { id: string } }[]).map(
      ({ resource }) => resource.id,
    );
    expect(ids).toEqual([target(responses(reply)[1] ?? {}).slice('Patient/'.length)]);
    expect(reply.json.entry[3].resource).toBeUndefined();
  });

  it('makes one of two entries with the same ifNoneExist', async () => {
    const ifNoneExist = `identifier=${system}|twice`;
    const reply = await send('transaction', [
      post(patient('twice'), { fullUrl: 'urn:uuid:3f0e2d2c-93c4-4a3a-8f3e-6d6b1c7e0a01', ifNoneExist }),
      post(patient('twice'), { fullUrl: patientUrl, ifNoneExist }),
      post(stay(patientUrl)),
    ]);
    expect(responses(reply).map(({ status }) => status)).toEqual(['201', '200', '201']);
    const [one, ...others] = await client.search('Patient?identifier=twice');
    expect(others).toEqual([]);
    const made = await client.read<{ subject: object }>(target(responses(reply)[2] ?? {}));
    expect(made.subject).toEqual({ reference: `Patient/${one?.id}` });
  });

  it('resolves links in extensions, contained resources and narrative, by fullUrl, by relative link and by criteria', async () => {
    await client.putAll({ ...patient('linked'), id: 'linked' } as never);
    const criteria = `Patient?identifier=${system}|linked&identifier:missing=false`;
    const div = `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${patientUrl}">a</a><a href="${criteria.replace('&', '&amp;')}">b</a></div>`;
    const resource = {
      resourceType: 'Basic',
      text: { status: 'generated', div },
      contained: [{ resourceType: 'Basic', id: 'c', code: { text: 'x' }, subject: { reference: patientUrl } }],
      extension: [
        { url: 'urn:x', valueReference: { reference: criteria } },
        { url: 'urn:y', valueReference: { reference: '#c' } },
      ],
      code: { text: 'x' },
      subject: { reference: 'Patient/far' },
    };
    const reply = await send('transaction', [
      { fullUrl: 'https://far.example/fhir/Basic/1', resource, request: { method: 'POST', url: 'Basic' } },
      { fullUrl: patientUrl, resource: patient('l1'), request: { method: 'POST', url: 'Patient' } },
      {
        fullUrl: 'https://far.example/fhir/Patient/far',
        resource: patient('l2'),
        request: { method: 'POST', url: 'Patient' },
      },
    ]);
    const [basic = '', near = '', far = ''] = responses(reply).map(target);
    const stored = await client.read<typeof resource>(basic);
    expect(stored.text.div).toContain(`href="${near}"`);
    expect(stored.text.div).toContain('href="Patient/linked"');
    expect(stored.contained[0]?.subject.reference).toBe(near);
    expect(stored.extension[0]?.valueReference.reference).toBe('Patient/linked');
    expect(stored.subject.reference).toBe(far);
  });

  it('finds by a conditional reference what it makes itself', async () => {
    const reply = await send('transaction', [post(stay(`Patient?identifier=${system}|fresh`)), post(patient('fresh'))]);
    expect(reply.status).toBe(200);
    const made = await client.read<{ subject: { reference: string } }>(target(responses(reply)[0] ?? {}));
    expect(made.subject.reference).toBe(target(responses(reply)[1] ?? {}));
  });

  it('patches, by FHIRPath and by JSON Patch in a Binary', async () => {
    await client.putAll({ ...patient('pa'), id: 'pa' } as never, { ...patient('pb'), id: 'pb' } as never);
    const data = Buffer.from('[{"op":"add","path":"/active","value":false}]').toString('base64');
    const part = [
      { name: 'type', valueCode: 'add' },
      { name: 'path', valueString: 'Patient' },
      { name: 'name', valueString: 'active' },
      { name: 'value', valueBoolean: false },
    ];
    const reply = await send('transaction', [
      {
        resource: { resourceType: 'Binary', contentType: 'application/json-patch+json', data },
        request: { method: 'PATCH', url: 'Patient/pa', ifMatch: 'W/"1"' },
      },
      {
        resource: { resourceType: 'Parameters', parameter: [{ name: 'operation', part }] },
        request: { method: 'PATCH', url: `Patient?identifier=${system}|pb` },
      },
      { request: { method: 'GET', url: 'Patient/pb' } },
    ] as never);
    expect(responses(reply).map(({ status }) => status)).toEqual(['200', '200', '200']);
    expect((await client.get('Patient/pa')).json.active).toBe(false);
    expect(reply.json.entry[2].resource.active).toBe(false);
  });

  const put = (id: string, more: object = {}) => ({
    resource: { ...patient(id), id },
    request: { method: 'PUT', url: `Patient/${id}`, ...more },
  });

  it.each<[string, number, string | undefined, Entry[]]>([
    [
      'an entry is not valid',
      400,
      'Bundle.entry[1].resource',
      [post(patient('n')), post({ ...patient('n'), nmae: 1 })],
    ],
    [
      'a conditional reference finds nothing',
      412,
      undefined,
      [post(patient('n')), post(stay('Patient?identifier=nobody'))],
    ],
    [
      'a version is not the one that ifMatch names',
      412,
      undefined,
      [post(patient('n')), put('n', { ifMatch: 'W/"4"' })],
    ],
    ['two entries write one resource', 400, 'Bundle.entry[1]', [put('n'), put('n')]],
    [
      'two entries have one fullUrl',
      400,
      undefined,
      [post(patient('n'), { fullUrl: patientUrl }), post(patient('n'), { fullUrl: patientUrl })],
    ],
    [
      'a link leads to an entry that only reads (T5)',
      400,
      'Bundle.entry[1]',
      [
        { fullUrl: patientUrl, request: { method: 'GET', url: 'Patient?active=true' } },
        post(stay(patientUrl)),
      ] as Entry[],
    ],
    ['a version is none (T8)', 412, 'Bundle.entry[1]', [post(patient('n')), put('n', { ifMatch: 'newest' })]],
    [
      'the URL is of the host (T6)',
      400,
      'Bundle.entry[1]',
      [post(patient('n')), { request: { method: 'GET', url: '//evil/Patient' } }],
    ],
    [
      'the URL is metadata (T6)',
      404,
      'Bundle.entry[1]',
      [post(patient('n')), { request: { method: 'GET', url: '/metadata' } }],
    ],
    ['the method is empty (T7)', 400, undefined, [post(patient('n')), { request: { method: '', url: 'Patient/1' } }]],
    [
      'the method is in lower case (T7)',
      400,
      undefined,
      [post(patient('n')), { request: { method: 'get', url: 'Patient/1' } }],
    ],
    ['a request is missing', 400, undefined, [post(patient('n')), { resource: patient('n') } as never]],
    [
      'a POST has no resource',
      400,
      'Bundle.entry[1]',
      [post(patient('n')), { request: { method: 'POST', url: 'Patient' } }],
    ],
    [
      'resource and URL are of different types',
      400,
      'Bundle.entry[1]',
      [post(patient('n')), { resource: patient('n'), request: { method: 'POST', url: 'Basic' } }],
    ],
    ['the type is unknown', 404, undefined, [post(patient('n')), { request: { method: 'DELETE', url: 'Patients/1' } }]],
    [
      'the URL is of another server',
      400,
      undefined,
      [
        post(patient('n')),
        { resource: patient('n'), request: { method: 'POST', url: 'http://169.254.169.254/Patient' } },
      ],
    ],
    [
      'the URL leaves the base',
      400,
      undefined,
      [post(patient('n')), { request: { method: 'GET', url: 'Patient/1/../../admin' } }],
    ],
    ['the method is none', 400, undefined, [post(patient('n')), { request: { method: 'TRACE', url: 'Patient/1' } }]],
    [
      'what it reads is not there',
      404,
      undefined,
      [post(patient('n')), { request: { method: 'GET', url: 'Patient/never' } }],
    ],
    [
      'an operation hides in the URL',
      404,
      undefined,
      [post(patient('n')), { request: { method: 'GET', url: '$export' } }],
    ],
  ])('writes nothing at all when %s', async (_what, status, expression, entries) => {
    const before = await counts(client, ['Patient', 'Encounter', 'Basic']);
    const reply = await send('transaction', entries);
    expect(reply.status).toBe(status);
    expect(reply.json.resourceType).toBe('OperationOutcome');
    if (expression !== undefined) expect(reply.json.issue[0].expression?.[0]).toContain(expression);
    expect(await counts(client, ['Patient', 'Encounter', 'Basic'])).toEqual(before);
    expect((await client.get('Patient/n')).status).toBe(404);
  });

  it.each(['transaction', 'batch'] as const)(
    'of kind %s tells each entry its own warnings when asked for outcomes',
    async (type) => {
      const mistyped = {
        resourceType: 'Practitioner',
        identifier: [{ system: 'https://rpps.esante.gouv.fr', value: '10101201234' }],
      };
      const entries = [post(patient(`outcome-${type}`)), post(mistyped)];
      const asked = await send(type, entries, { prefer: 'return=OperationOutcome' });
      const outcomes = responses(asked).map((one) => (one as { outcome?: { issue: unknown[] } }).outcome?.issue);
      const done = (text: string) => expect.objectContaining({ severity: 'information', details: { text } });
      expect(outcomes).toEqual([
        [done('Patient created')],
        [
          done('Practitioner created'),
          expect.objectContaining({ severity: 'warning', expression: ['Practitioner.identifier[0]'] }),
        ],
      ]);
      expect(asked.json.entry[1].resource).toBeUndefined();
      expect(asked.text).not.toContain('10101201234');
      const unasked = await send(type, [post(mistyped)]);
      expect(responses(unasked)[0]).not.toHaveProperty('outcome');
    },
  );

  it('refuses more than 500 entries before it does anything', async () => {
    const reply = await send(
      'transaction',
      Array.from({ length: 501 }, () => post(patient('many'))),
    );
    expect([reply.status, reply.json.issue[0].code]).toEqual([422, 'too-costly']);
    expect(await client.search('Patient?identifier=many')).toEqual([]);
  });

  it('makes one patient when ten transactions bring the same one at once', async () => {
    const replies = await Promise.all(
      Array.from({ length: 10 }, () =>
        send('transaction', [
          post(patient('t7'), { fullUrl: patientUrl, ifNoneExist: `identifier=${system}|t7` }),
          post(stay(patientUrl)),
        ]),
      ),
    );
    expect(replies.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const [one, ...others] = await client.search('Patient?identifier=t7');
    expect(others).toEqual([]);
    expect(await client.search(`Encounter?patient=Patient/${one?.id}&_count=50`)).toHaveLength(10);
  });

  it('of 100 entries comes back in order', async () => {
    const reply = await send(
      'transaction',
      Array.from({ length: 100 }, (_one, index) => put(`many-${index}`)),
    );
    expect(responses(reply).map(target)).toEqual(Array.from({ length: 100 }, (_one, index) => `Patient/many-${index}`));
  });
});

describe('A batch', () => {
  it('answers each entry for itself, faults too', async () => {
    const reply = await send('batch', [
      post(patient('b1')),
      post({ ...patient('b1'), nmae: 1 }),
      { request: { method: 'GET', url: `Patient?identifier=${system}|b1` } },
      { request: { method: 'GET', url: 'Patient/never' } },
      { request: { method: 'GET', url: 'Patient/never/_history' } },
      { request: { method: 'DELETE', url: 'Patient/never' } },
      { resource: { ...patient('b2'), id: 'b2' }, request: { method: 'PUT', url: 'Patient/b2' } },
      { resource: { ...patient('b2'), id: 'b2' }, request: { method: 'PUT', url: 'Patient/b2', ifMatch: 'W/"9"' } },
      { request: { method: 'GET', url: 'Patient/b2', ifNoneMatch: 'W/"1"' } },
      post(patient('b1'), { ifNoneExist: `identifier=${system}|b1` }),
    ]);
    expect(reply.status).toBe(200);
    expect(reply.json.type).toBe('batch-response');
    expect(responses(reply).map(({ status }) => status.slice(0, 3))).toEqual([
      '201',
      '400',
      '200',
      '404',
      '404',
      '204',
      '201',
      '412',
      '304',
      '200',
    ]);
    expect(reply.json.entry[1]).toMatchObject({ response: { outcome: { resourceType: 'OperationOutcome' } } });
    expect(reply.json.entry[2].resource).toMatchObject({
      type: 'searchset',
      entry: [{ resource: { resourceType: 'Patient' } }],
    });
  });

  it('updates and deletes by criteria', async () => {
    const made = await client.post('Patient', patient('b3'));
    const url = `Patient?identifier=${system}|b3`;
    const reply = await send('batch', [
      { resource: patient('b3'), request: { method: 'PUT', url } },
      { request: { method: 'DELETE', url } },
      { request: { method: 'DELETE', url: 'Patient' } },
    ]);
    expect(responses(reply).map(({ status }) => status)).toEqual(['200', '204', '412']);
    expect((await client.get(`Patient/${made.json.id}`)).status).toBe(410);
  });

  it('that is neither batch nor transaction is refused', async () => {
    const reply = await client.post('', { resourceType: 'Bundle', type: 'collection' });
    expect([reply.status, reply.json.issue[0].expression]).toEqual([400, ['Bundle.type']]);
    expect((await client.post('', patient('b4'))).status).toBe(400);
  });

  it('posted to Bundle is stored, not carried out', async () => {
    const entry = [post(patient('b5'))];
    const reply = await client.post('Bundle', { resourceType: 'Bundle', type: 'transaction', entry });
    expect(reply.status).toBe(201);
    expect(await client.search('Patient?identifier=b5')).toEqual([]);
  });
});
