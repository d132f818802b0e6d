import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Problem, readConfig, settingsTable } from '../../src/base/index.ts';

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof Problem) return error.issues.map(({ text }) => text);
    throw error;
  }
  return [];
}

describe('readConfig', () => {
  it('has a default for everything', () => {
    expect(readConfig({})).toEqual({
      port: 8080,
      host: '127.0.0.1',
      databaseUrl: undefined,
      replicaUrl: undefined,
      replicaAgeMax: 10,
      dataFolder: './data',
      clock: 'real',
      zone: 'Europe/Paris',
      allowsLoopbackHooks: false,
      hookOrigins: undefined,
      subscriptionsMax: 10_000,
      subscriptionsPerCallerMax: 1_000,
      smtpUrl: undefined,
      mailFrom: undefined,
      mailDomains: undefined,
      auth: 'none',
      auditMonths: 36,
      certificateHeader: 'client-cert',
      clientAlgorithms: ['ES384', 'RS384'],
      allowsTestIns: false,
      mllpHost: '127.0.0.1',
      mailSenders: ['mssante.fr'],
      imapFolders: { inbox: 'INBOX', taken: 'Suture', review: 'Suture a revoir' },
      imapPollSeconds: 60,
      references: 'recorded',
      conditionalDelete: 'single',
      validation: 'claimed',
      isNetworkOpen: false,
      baseUrl: undefined,
      logLevel: 'info',
      bodyMax: 50 * 1024 * 1024,
      bodiesMax: 256 * 1024 * 1024,
      bundleEntriesMax: 500,
      pageMax: 1000,
      inFlightMax: 64,
      connectionsMax: 1000,
      clientRate: undefined,
      requestTimeoutMs: 30_000,
      otlpUrl: undefined,
      traceShare: 10,
      poolSize: 12,
      statementTimeoutMs: 10_000,
      stopMs: 9000,
      readyQueueAge: undefined,
      quietHours: undefined,
      proofAwaitedHours: 72,
    });
  });

  it('reads what is set, takes an empty variable as unset, and ignores what is not ours', () => {
    const config = readConfig({
      PORT: '0',
      HOST: '',
      DATABASE_URL: 'postgresql://suture:secret@db.example:5432/suture',
      SUTURE_CLOCK: '2026-03-02T08:00:00+01:00',
      SUTURE_ZONE: 'Indian/Reunion',
      SUTURE_VALIDATION: 'off',
      SUTURE_BASE_URL: 'https://suture.example/fhir/',
      PATH: '/usr/bin',
    });
    expect(config).toMatchObject({
      port: 0,
      host: '127.0.0.1',
      databaseUrl: 'postgresql://suture:secret@db.example:5432/suture',
      clock: { startMs: Date.UTC(2026, 2, 2, 7) },
      zone: 'Indian/Reunion',
      validation: 'off',
      baseUrl: 'https://suture.example/fhir',
    });
  });

  it('refuses a replica of the embedded database, and one that is the primary', () => {
    const url = 'postgresql://suture:geheim@db:5432/suture';
    const standby = 'postgresql://suture:geheim@standby:5432/suture';
    expect(faultsOf({ SUTURE_REPLICA_URL: standby })).toEqual([expect.stringContaining('goes with DATABASE_URL')]);
    expect(faultsOf({ SUTURE_REPLICA_URL: url, DATABASE_URL: url })).toEqual([expect.stringContaining('no replica')]);
    expect(faultsOf({ SUTURE_REPLICA_URL: standby, DATABASE_URL: url })).toEqual([]);
  });

  it('refuses room for all bodies that is less than one may need', () => {
    expect(faultsOf({ SUTURE_BODY_MAX: '60', SUTURE_BODIES_MAX: '50' })).toEqual([
      expect.stringContaining('SUTURE_BODIES_MAX'),
    ]);
  });

  it('is frozen', () => {
    expect(Object.isFrozen(readConfig({}))).toBe(true);
  });

  it('lists every fault at once, each with what was found and what was expected', () => {
    expect(faultsOf({ PORT: '80a', SUTURE_VALIDATION: 'strict', SUTURE_VALIDATON: 'off' })).toEqual([
      'SUTURE_VALIDATON is not a setting of Suture',
      'PORT is "80a", expected a whole number from 0 to 65535',
      'SUTURE_VALIDATION is "strict", expected one of off, claimed, required',
    ]);
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '8080.0'],
    ['SUTURE_POOL_SIZE', '1'],
    ['SUTURE_BODY_MAX', '0'],
    ['SUTURE_STATEMENT_TIMEOUT', '0'],
    ['DATABASE_URL', 'mysql://localhost/suture'],
    ['DATABASE_URL', 'localhost'],
    ['SUTURE_ALLOW_TEST_INS', 'yes'],
    ['SUTURE_HOOK_ORIGINS', 'http://his.chu.example'],
    ['SUTURE_HOOK_ORIGINS', 'https://his.chu.example/path'],
    ['SUTURE_HOOK_ORIGINS', 'https://his.chu.example,'],
    ['SUTURE_ALLOW_TEST_INS', 'constructor'],
    ['SUTURE_ZONE', 'Paris'],
    ['SUTURE_BASE_URL', 'suture.example'],
    ['SUTURE_LOG_LEVEL', 'trace'],
    ['SUTURE_CLOCK', '2026-03-02'],
    ['SUTURE_CLOCK', '2026-03-02T08:00:00'],
    ['SUTURE_CLOCK', '2026-02-30T08:00:00Z'],
    ['SUTURE_CLOCK', '2026-03-02T25:00:00Z'],
  ])('refuses %s=%s', (name, value) => {
    expect(faultsOf({ [name]: value })).toHaveLength(1);
  });

  it('takes e-mail with all that it needs, or not at all', () => {
    const mail = {
      SUTURE_SMTP_URL: 'smtps://suture:word@mail.chu.example:465',
      SUTURE_MAIL_FROM: 'suture@chu.mssante.fr',
      SUTURE_MAIL_DOMAINS: 'chu.mssante.fr, CPTS.mssante.fr',
    };
    expect(readConfig(mail).mailDomains).toEqual(['chu.mssante.fr', 'cpts.mssante.fr']);
    expect(faultsOf({ SUTURE_MAIL_FROM: mail.SUTURE_MAIL_FROM })).toEqual([expect.stringContaining('go together')]);
  });

  it('never repeats the database URL, which holds a password', () => {
    expect(faultsOf({ DATABASE_URL: 'mysql://suture:secret@localhost/x' }).join()).not.toContain('secret');
  });

  it.each(['0.0.0.0', '::', '192.168.1.10', 'suture.example', '128.0.0.1', '127.example.org'])(
    'refuses to listen on %s without authentication',
    (host) => {
      expect(faultsOf({ HOST: host })).toEqual([expect.stringContaining('SUTURE_OPEN_NETWORK=true')]);
      expect(readConfig({ HOST: host, SUTURE_OPEN_NETWORK: 'true' }).host).toBe(host);
    },
  );

  it.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('listens on %s', (host) => {
    expect(readConfig({ HOST: host }).host).toBe(host);
  });
});

describe('the README', () => {
  it('holds the table of settings as the schema has it', () => {
    const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
    expect(readme).toContain(settingsTable());
  });
});
