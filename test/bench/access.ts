/**
 * What access costs: the same requests of the same server twice, once where everybody may everything, once with `SUTURE_AUTH=smart`, on one
 * database, in turns, so that what the machine does meanwhile falls on both. Two callers: one who sees every patient, and one who sees
 * them by the place where they are treated; both see all of the territory, so that answers are the same. Every request is audited.
 */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Resource } from '../../src/fhir/resource.ts';
import { put, send, sendOrFail, settle } from './client.ts';
import { type Bench, costOfServer } from './compare.ts';
import { driveHttp, type HttpRequest } from './measure.ts';
import { operationNames, prepareOperation, type World } from './operations.ts';
import { type Served, startBeside } from './processes.ts';
import type { Cost } from './table.ts';

export interface AccessInput {
  readonly bench: Bench;
  readonly folder: string;
  readonly isAsked: (name: string) => boolean;
  readonly tell: (text: string) => void;
  readonly onOpened: (stop: () => Promise<void>) => void;
}

interface Measured {
  readonly perSecond: number;
  readonly medianMs: number;
  readonly cost: Cost | undefined;
}

interface Row {
  readonly name: string;
  readonly open: Measured;
  readonly others: readonly Measured[];
}

/** What a hospital group has in place of the numbers of its hospitals: each of them answers to it. */
const groupNumber = '010099899';
const finessSystem = 'https://finess.esante.gouv.fr';

const callers = [
  { id: 'bench-all', label: 'every patient', parts: [{ url: 'right', valueCode: 'patient-all' }] },
  { id: 'bench-place', label: 'by relation', parts: [{ url: 'finess', valueString: groupNumber }] },
] as const;

/** Lines of a table: rate and processor time per request, without access and with it. */
export async function measureAccess(input: AccessInput): Promise<readonly string[]> {
  const { bench, tell } = input;
  const { served } = bench;
  if (served === undefined) return [];
  const keys = await generateKeyPair('ES384');
  await prepareWorld(bench.world, await exportJWK(keys.publicKey));
  // Judgments that the hospitals brought about would be done by either.
  await settle(bench.world.origin);
  const guarded = await startBeside(served, input.folder, {
    ...{ SUTURE_AUTH: 'smart', SUTURE_LOG_LEVEL: 'error' },
    // A client of the bench asks more often than anybody else.
    SUTURE_CLIENT_RATE: '0',
  });
  input.onOpened(() => guarded.stop());
  const rows: Row[] = [];
  for (const name of operationNames.filter(input.isAsked)) {
    tell(`${name}, with access`);
    try {
      const before = await measure(bench, name);
      const others: Measured[] = [];
      for (const { id } of callers) {
        const token = await fetchToken(guarded, id, keys.privateKey);
        others.push(await measure(as(bench, guarded, token), name));
      }
      const after = await measure(bench, name);
      rows.push({ name, open: meanOf(before, after), others });
    } catch (error) {
      tell(`  left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return tableLines(rows);
}

async function prepareWorld({ origin, basePath, territory }: World, key: object): Promise<void> {
  for (const { id, parts } of callers) {
    await sendOrFail(origin, put(basePath, clientResource(id, key, parts)));
  }
  for (const resource of territory.shared.filter(({ resourceType }) => resourceType === 'Organization')) {
    const identifier = [...(resource['identifier'] as object[]), { system: finessSystem, value: groupNumber }];
    await sendOrFail(origin, put(basePath, { ...resource, identifier }));
  }
}

function clientResource(id: string, key: object, parts: readonly object[]): Resource {
  const extension = [
    { url: 'status', valueCode: 'active' },
    { url: 'scope', valueString: 'system/*.cruds' },
    { url: 'key', valueString: JSON.stringify({ ...key, kid: 'bench' }) },
    ...parts,
  ];
  return {
    resourceType: 'Basic',
    id: `client.${id}`,
    extension: [{ url: 'https://suture.example/fhir/StructureDefinition/client', extension }],
    code: { coding: [{ system: 'https://suture.example/fhir/CodeSystem/record-note', code: 'client' }] },
  };
}

/** Five minutes long: one for each measure. */
async function fetchToken({ baseUrl }: Served, id: string, key: Parameters<SignJWT['sign']>[0]): Promise<string> {
  const { origin } = new URL(baseUrl);
  const now = Math.floor((performance.timeOrigin + performance.now()) / 1000);
  const assertion = await new SignJWT({ iss: id, sub: id, aud: `${origin}/auth/token`, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES384', kid: 'bench' })
    .setIssuedAt(now)
    .setExpirationTime(now + 120)
    .sign(key);
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await send(origin, { method: 'POST', path: '/auth/token', headers, body: form.toString() });
  return ((await answer.json()) as { access_token: string }).access_token;
}

function as(bench: Bench, served: Served, token: string): Bench {
  const base = new URL(served.baseUrl);
  const headers = { authorization: `Bearer ${token}` };
  return { ...bench, served, world: { ...bench.world, origin: base.origin, basePath: base.pathname, headers } };
}

async function measure(bench: Bench, name: string): Promise<Measured> {
  const { world } = bench;
  const { next, connections } = await prepareOperation(world, name);
  const withHeaders = (): HttpRequest => {
    const request = next();
    return { ...request, headers: { ...request.headers, ...world.headers } };
  };
  const drive = (seconds: number) => driveHttp(world.origin, withHeaders, { connections, seconds });
  const { figures, cost } = await costOfServer(bench, { drive });
  if (figures.failed > 0) throw new Error(figures.failures.join(', '));
  return { perSecond: figures.perSecond, medianMs: figures.medianMs, cost };
}

function meanOf(one: Measured, other: Measured): Measured {
  const mean = (of: (measured: Measured) => number) => (of(one) + of(other)) / 2;
  return {
    perSecond: mean(({ perSecond }) => perSecond),
    medianMs: mean(({ medianMs }) => medianMs),
    cost: {
      processUs: mean(({ cost }) => cost?.processUs ?? 0),
      databaseUs: mean(({ cost }) => cost?.databaseUs ?? 0),
    },
  };
}

const heads = [
  'operation',
  'open /s',
  'cpu us',
  ...callers.flatMap(({ label }) => [`${label} /s`, 'rate', 'cpu us', 'cpu rate']),
];

function tableLines(rows: readonly Row[]): readonly string[] {
  const cells = [heads, ...rows.map(rowCells)];
  const widths = heads.map((_head, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ');
  return [
    'with access (smart, audited) beside without; cpu rate: the part of its rate that a processor would keep',
    ...cells.map(line),
  ];
}

function rowCells({ name, open, others }: Row): readonly string[] {
  const sum = ({ cost }: Measured) => (cost === undefined ? 0 : cost.processUs + cost.databaseUs);
  const text = ({ cost }: Measured) =>
    cost === undefined ? '' : `${Math.round(cost.processUs)} + ${Math.round(cost.databaseUs)}`;
  const percent = (part: number, whole: number) => (whole === 0 ? '' : `${Math.round((100 * part) / whole)} %`);
  const of = (one: Measured) => [
    one.perSecond.toFixed(0),
    percent(one.perSecond, open.perSecond),
    text(one),
    percent(sum(open), sum(one)),
  ];
  return [name, open.perSecond.toFixed(0), text(open), ...others.flatMap(of)];
}
