/** SUTURE_REFERENCES: recorded references find their target whenever it comes; enforced ones must have it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemCaller } from '../../src/access/index.ts';
import { callersBy, patientUser } from '../access/callers.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

let test: TestApp;

beforeAll(async () => {
  const known = callersBy({ p: patientUser('Patient/p', 'patient/*.cruds') });
  test = await startTestApp({
    callerOf: (request) => (request.headers.authorization === undefined ? systemCaller : known(request)),
  });
});
afterAll(() => test?.close());

const patient = (id: string) => ({ resourceType: 'Patient', id, active: true });
const basic = (id: string, reference: string) => ({
  resourceType: 'Basic',
  id,
  code: { text: 'x' },
  extension: [{ url: 'urn:x', valueReference: { reference } }],
});

interface Parameters {
  readonly parameter?: readonly {
    readonly name: string;
    readonly part: readonly {
      readonly name: string;
      readonly valueReference?: { reference: string };
      readonly valueString?: string;
    }[];
  }[];
}

async function dangling({ client }: TestApp): Promise<readonly (readonly (string | undefined)[])[]> {
  const { parameter = [] } = await client.read<Parameters>('$dangling-references?_type=Basic');
  return parameter.map(({ part }) =>
    part.map(({ valueReference, valueString }) => valueReference?.reference ?? valueString),
  );
}

describe('Recorded references', () => {
  it('may come before their target, and are listed until it is there', async () => {
    await test.client.putAll(basic('early', 'Patient/late'));
    expect(await dangling(test)).toEqual([
      ['Basic/early', 'Patient/late', 'Basic.extension[0].valueReference.reference'],
    ]);
    await test.client.putAll(patient('late'));
    expect(await dangling(test)).toEqual([]);
    expect((await test.client.remove('Patient/late')).status).toBe(204);
    expect(await dangling(test)).toHaveLength(1);
  });
});

describe('Enforced references', () => {
  beforeAll(async () => {
    await test.client.putAll(patient('known'), basic('known', 'Patient/known'));
    test = await test.restart({ SUTURE_REFERENCES: 'enforced' });
  });

  it('refuse a write that refers to nothing, and say where', async () => {
    const reply = await test.client.put(basic('b1', 'Patient/nobody'));
    expect([reply.status, reply.json.issue[0].expression]).toEqual([
      409,
      ['Basic.extension[0].valueReference.reference'],
    ]);
    expect((await test.client.get('Basic/b1')).status).toBe(404);
  });

  it('refuse a reference to what the caller does not see as one to nothing, byte for byte', async () => {
    const note = (focus: string, changes: object = {}) => ({
      resourceType: 'Observation',
      id: 'own',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: 'Patient/p' },
      focus: [{ reference: focus }],
      ...changes,
    });
    const hidden = { ...note('Patient/q'), id: 'hidden', subject: { reference: 'Patient/q' } };
    await test.client.putAll(patient('p'), patient('q'), hidden, note('Patient/p'));
    const own = test.client.with({ authorization: 'Bearer p' });
    const answer = async (focus: string) => {
      const { status, text } = await own.put(note(focus));
      return [status, text];
    };
    expect((await answer('Observation/absent'))[0]).toBe(409);
    expect(await answer('Observation/hidden')).toEqual(await answer('Observation/absent'));
    expect(await answer('Patient/q')).toEqual(await answer('Patient/r'));
    expect((await answer('Patient/p'))[0]).toBe(200);
    // What somebody else has put there stays there.
    await test.client.putAll(note('Observation/hidden'));
    expect((await own.put(note('Observation/hidden', { status: 'amended' }))).status).toBe(200);
    for (const path of ['Observation/own', 'Observation/hidden', 'Patient/p', 'Patient/q']) {
      expect((await test.client.remove(path)).status).toBe(204);
    }
  });

  it('take what is there, what comes along, and what is elsewhere', async () => {
    await test.client.putAll(
      basic('b2', 'Patient/known'),
      basic('b3', 'https://far.example/fhir/Patient/1'),
      basic('b4', 'Basic/b4'),
    );
    const entry = [basic('b5', 'Patient/p5'), patient('p5')].map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    }));
    expect((await test.client.post('', { resourceType: 'Bundle', type: 'transaction', entry })).status).toBe(200);
  });

  it('keep what is pointed at, also from before they were enforced', async () => {
    expect((await test.client.remove('Patient/p5')).status).toBe(409);
    expect((await test.client.remove('Patient/known')).status).toBe(409);
    expect((await test.client.get('Patient/known')).status).toBe(200);
    for (const id of ['known', 'b2', 'b5']) expect((await test.client.remove(`Basic/${id}`)).status).toBe(204);
    expect((await test.client.remove('Patient/known')).status).toBe(204);
    expect((await test.client.remove('Basic/b4')).status).toBe(204);
  });

  it('let a transaction delete both ends at once', async () => {
    await test.client.putAll(patient('p6'));
    await test.client.putAll(basic('b6', 'Patient/p6'));
    const entry = ['Patient/p6', 'Basic/b6'].map((url) => ({ request: { method: 'DELETE', url } }));
    expect((await test.client.post('', { resourceType: 'Bundle', type: 'transaction', entry })).status).toBe(200);
  });

  it('hold when a write and the deletion of its target race', async () => {
    for (let round = 0; round < 10; round++) {
      const id = `race-${round}`;
      await test.client.putAll(patient(id));
      const [written, deleted] = await Promise.all([
        test.client.put(basic(id, `Patient/${id}`)),
        test.client.remove(`Patient/${id}`),
      ]);
      const both = [written?.status, deleted?.status];
      expect([
        [201, 409],
        [409, 204],
      ]).toContainEqual(both);
    }
  });
});
