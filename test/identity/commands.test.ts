/** `suture clients`: what an operator does, and that the server heeds it. */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportSPKI } from 'jose';
import { runClients } from '../../src/app/index.ts';
import { findClient } from '../../src/identity/index.ts';
import { createCountedIds, createLog, readConfig } from '../../src/base/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/db.ts';
import { makeKeys } from '../support/authority.ts';

/** Each command opens the server's ground: definitions, packages. */
const patience = 120_000;

let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  database = await openTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'suture-clients-'));
});

afterAll(() => database.close());

function run(...args: string[]): Promise<readonly string[] | undefined> {
  const config = readConfig({ DATABASE_URL: database.url, SUTURE_LOG_LEVEL: 'silent' });
  return runClients({ config, ids: createCountedIds(), log: createLog('silent'), random: () => 0.5 }, args);
}

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const describeCertificate = (path: string) =>
  Buffer.from(new X509Certificate(readFileSync(path)).fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');

describe('suture clients', () => {
  it(
    'lets a client in by its key, lists it, changes it, and shuts it out',
    async () => {
      const keys = await makeKeys('his-1');
      const jwks = await file('jwks.json', JSON.stringify({ keys: [keys.jwk] }));
      const pem = await file('key.pem', await exportSPKI((await makeKeys()).publicKey));
      const scope = 'system/Patient.rs system/Observation.read';
      expect(await run('add', 'his', '--scope', scope, '--right', 'patient-all', '--key', jwks)).toEqual([
        'his was added',
        '  key his-1',
      ]);
      expect(await run('add', 'his', '--scope', scope, '--key', pem)).toEqual([
        'his was changed',
        expect.stringMatching(/^ {2}key [\w-]{43}$/),
      ]);
      expect(await run('add', 'portal', '--scope', 'user/*.rs', '--issuer', 'https://sso.example')).toHaveLength(1);
      expect(await run('list')).toEqual([`his\tactive\t${scope}`, 'portal\tactive\tuser/*.rs\t\thttps://sso.example']);
      expect(await run('revoke', 'his')).toEqual(['his was revoked']);
      expect((await run('list'))?.[0]).toBe(`his\trevoked\t${scope}`);
    },
    patience,
  );

  it(
    'takes a certificate by its SHA-256',
    async () => {
      const certificate = join(import.meta.dirname, 'tls/hospital.pem');
      expect(await run('add', 'box', '--scope', 'system/*.rs', '--certificate', certificate, '--bound')).toEqual([
        'box was added',
      ]);
      const client = await findClient(database.database, 'box');
      expect(client).toMatchObject({ isBound: true, certificates: [describeCertificate(certificate)] });
    },
    patience,
  );

  it(
    'says what it takes when it is called in another way, and refuses what no client can be',
    async () => {
      for (const args of [[], ['add'], ['list', 'x'], ['forget', 'x']]) expect(await run(...args)).toBeUndefined();
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
      const secret = await file('private.pem', String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
      await expect(run('add', 'x', '--scope', 'system/*.rs', '--key', secret)).rejects.toThrow(/private key/);
      await expect(run('add', 'x y', '--scope', 'system/*.rs')).rejects.toThrow(/57 letters/);
      await expect(run('add', 'x', '--scope', 'system/*.rs')).rejects.toThrow(/faults/);
      await expect(run('add', 'x', '--right', 'everything')).rejects.toThrow(/no right/);
      await expect(run('revoke', 'nobody')).rejects.toThrow(/no client/);
    },
    patience,
  );
});
