/**
 * Random inputs against the whole server and against each reader by itself. The law: whatever comes, there is an answer in bounded time; it
 * is never a 500, and where it refuses it is an OperationOutcome; a reader answers, or throws a Problem, and nothing else.
 *
 * Forty inputs for each in `npm test`; `SUTURE_FUZZ_MINUTES=10 SUTURE_FUZZ_SEED=7 npm test -- test/fuzz` divides ten minutes among them.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../src/base/index.ts';
import { parseJson, readFhirXml } from '../../src/fhir/index.ts';
import { parseHl7, parseXml, readMail, readZip } from '../../src/formats/index.ts';
import { isAdmission, openArchive, openMail, openMessage, readAdmission } from '../../src/letters/index.ts';
import { createPredicate, createSearchContext, parseSearch } from '../../src/search/index.ts';
import { read } from '../letters/letters.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Client, Reply } from '../support/client.ts';
import { changed, queries } from './inputs.ts';
import { definitions, openSeeds, type Seeds } from './seeds.ts';

const minutes = Number(process.env['SUTURE_FUZZ_MINUTES'] ?? '0');
const seed = Number(process.env['SUTURE_FUZZ_SEED'] ?? String(20261122));
/** How many laws there are below, to divide the time among. */
const laws = 18;
const eachMs = (minutes * 60_000) / laws;
const timeoutMs = eachMs + 120_000;
/** Of one input, on a slow machine that others use too. */
const answerMaxMs = 10_000;
/** In `npm test` a number of inputs, however slow the machine; by command as many as there is time for. */
const limits = {
  ...(minutes === 0 ? { numRuns: 40 } : { numRuns: 1_000_000, interruptAfterTimeLimit: eachMs }),
  ...{ seed, endOnFailure: minutes === 0 },
} as const;

let test: TestApp;
let client: Client;
let seeds: Seeds;

beforeAll(async () => {
  seeds = await openSeeds();
  test = await startTestApp();
  client = test.client;
  await client.putAll({ resourceType: 'Patient', id: 'fuzz', name: [{ family: 'X' }], gender: 'female' });
});
afterAll(() => test?.close());

const contextOf = createSearchContext({ definitions, zone: 'Europe/Paris', baseUrl: 'http://127.0.0.1/fhir' });
const searched = ['Patient', 'Observation', 'Encounter', 'DocumentReference', 'CareTeam', 'Location'];
const codes = [...new Set(searched.flatMap((type) => [...definitions.searchParameters(type).keys()]))];
const asked = fc.tuple(fc.constantFrom(...searched), queries(codes, searched));

/** Whatever is thrown must be a Problem that is no fault. */
async function holds(work: () => unknown): Promise<void> {
  const before = performance.now();
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem) || error.category === 'fault') throw error;
  }
  expect(performance.now() - before).toBeLessThan(answerMaxMs);
}

describe('A reader', () => {
  const settings = { zone: 'Europe/Paris', newId: () => 'new' };
  const readers: readonly (readonly [string, keyof Seeds, (bytes: Buffer) => unknown])[] = [
    ['of JSON', 'json', parseJson],
    ['of FHIR XML', 'xml', (bytes) => readFhirXml(bytes, definitions)],
    ['of any XML', 'cda', parseXml],
    ['of letters', 'cda', read],
    [
      'of HL7 v2',
      'er7',
      (bytes) => {
        const found = parseHl7(bytes);
        if (found.kind === 'refused') return;
        const { message } = found;
        if (isAdmission(message)) readAdmission(message, bytes, settings);
        else openMessage(message);
      },
    ],
    ['of archives', 'zip', readZip],
    ['of XDM', 'zip', openArchive],
    ['of mails', 'mime', readMail],
    ['of mails with letters', 'mime', (bytes) => openMail(bytes, { senders: undefined })],
  ];

  it.each(readers)(
    '%s answers, or throws a Problem',
    async (_name, kind, reader) => {
      await fc.assert(
        fc.asyncProperty(changed(seeds[kind]), (bytes) => holds(() => reader(bytes))),
        limits,
      );
    },
    timeoutMs,
  );

  it(
    'of searches answers, or throws a Problem',
    async () => {
      await fc.assert(
        fc.asyncProperty(asked, ([type, parameters]) =>
          holds(() => createPredicate(contextOf, parseSearch(contextOf, type, parameters, { now: 0 }))),
        ),
        limits,
      );
    },
    timeoutMs,
  );
});

describe('The server', () => {
  const answers = async (send: () => Promise<Reply>): Promise<void> => {
    const before = performance.now();
    const { status, json, text } = await send();
    expect(performance.now() - before).toBeLessThan(answerMaxMs);
    if (status >= 500 && status !== 501) throw new Error(`${status}: ${text.slice(0, 500)} ${test.logged.at(-2)}`);
    // Headers that are too long are refused by Node itself.
    if (status >= 400 && status !== 431) expect(json.resourceType).toBe('OperationOutcome');
  };
  const law = (inputs: () => fc.Arbitrary<unknown>, send: (input: never) => Promise<Reply>) => async () => {
    await fc.assert(
      fc.asyncProperty(inputs(), (input) => answers(() => send(input as never))),
      limits,
    );
    expect((await client.get('Patient/fuzz')).status).toBe(200);
  };
  const typeOf = (bytes: Buffer) => /"resourceType":"([A-Z]\w+)"/.exec(bytes.toString('latin1'))?.[1] ?? 'Patient';

  it(
    'answers any JSON',
    law(
      () => changed(seeds.json),
      (body: Buffer) => {
        const type = typeOf(body);
        return type === 'Bundle' ? client.post('', body) : client.post(type, body);
      },
    ),
    timeoutMs,
  );

  it(
    'answers any XML',
    law(
      () => changed(seeds.xml),
      (body: Buffer) => client.send('POST', 'Patient/$validate', { body, type: 'application/fhir+xml' }),
    ),
    timeoutMs,
  );

  it(
    'answers any search',
    law(
      () => asked,
      ([type, parameters]: readonly [string, readonly (readonly [string, string])[]]) =>
        client.get(
          `${type}?${parameters.map(([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`).join('&')}`,
        ),
    ),
    timeoutMs,
  );

  it(
    'answers any patch',
    law(
      () => changed(seeds.patch),
      (body: Buffer) => client.send('PATCH', 'Patient/fuzz', { body, type: 'application/json-patch+json' }),
    ),
    timeoutMs,
  );

  it.each([
    ['CDA', 'cda', 'application/cda+xml'],
    ['HL7 v2', 'er7', 'x-application/hl7-v2+er7'],
    ['XDM', 'zip', 'application/zip'],
    ['mail', 'mime', 'message/rfc822'],
  ] as const)(
    'answers any letter: %s',
    async (_name, kind, type) => {
      await law(
        () => changed(seeds[kind]),
        (body: Buffer) => client.ingest(body, type),
      )();
    },
    timeoutMs,
  );
});
