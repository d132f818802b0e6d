/** Dockerfile, docker-compose.yml and what they mount, held against the project: no Docker is needed to see that they fit. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import jsYaml from 'js-yaml';
import { readConfig, stopLimits } from '../src/base/index.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
  readonly files: readonly string[];
};

/** Instructions of a Dockerfile with their continued lines in one. */
function instructions(text: string): readonly (readonly [name: string, rest: string])[] {
  return text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      return [name, rest] as const;
    });
}

describe('The Dockerfile', () => {
  const all = instructions(read('Dockerfile'));
  const of = (name: string) => all.filter(([one]) => one === name).map(([, rest]) => rest);
  const last = all.slice(all.findLastIndex(([name]) => name === 'FROM'));

  it('has instructions that there are, and builds on a Node that the project runs on', () => {
    const known = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'VOLUME', 'USER', 'ENV', 'EXPOSE', 'HEALTHCHECK', 'CMD'];
    expect(all.filter(([name]) => !known.includes(name))).toEqual([]);
    const least = Number(/(\d+)/.exec(manifest.engines.node)?.[1]);
    for (const from of of('FROM')) expect(Number(/^node:(\d+)-/.exec(from)?.[1])).toBeGreaterThanOrEqual(least);
  });

  it('copies what is there, and into the image everything that the package ships', () => {
    for (const rest of of('COPY').filter((one) => !one.startsWith('--from'))) {
      for (const file of rest.split(/\s+/).slice(0, -1))
        expect([file, existsSync(join(root, file))]).toEqual([file, true]);
    }
    const copied = last.filter(([name]) => name === 'COPY').map(([, rest]) => rest.split(/\s+/).at(-1));
    for (const folder of [...manifest.files, 'node_modules']) expect(copied).toContain(folder);
  });

  it('runs commands that there are, as somebody who is not root and writes to the volume alone', () => {
    for (const [, script = ''] of of('RUN')
      .join(' ')
      .matchAll(/npm run ([\w:-]+)/g))
      expect(manifest.scripts[script]).toBeDefined();
    const user = last.findLastIndex(([name]) => name === 'USER');
    expect(last[user]?.[1]).toBe('node');
    expect(last.findIndex(([name]) => name === 'CMD')).toBeGreaterThan(user);
    expect(of('CMD').at(-1)).toBe('["node", "dist/main.js", "serve"]');
    expect(manifest.scripts['start']).toBe('node dist/main.js serve');
    expect(of('VOLUME')).toEqual(['/data']);
    expect(last.slice(user).filter(([name]) => name === 'RUN' || name === 'COPY')).toEqual([]);
  });

  it('asks a route that there is whether it is healthy, and sets what is a setting', () => {
    expect(of('HEALTHCHECK')[0]).toContain('/health/ready');
    const settings = Object.fromEntries(
      of('ENV')
        .join(' ')
        .split(/\s+/)
        .map((one) => one.split('=') as [string, string]),
    );
    expect(readConfig({ ...settings, SUTURE_OPEN_NETWORK: 'true' })).toMatchObject({
      dataFolder: '/data',
      host: '0.0.0.0',
    });
  });
});

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
}

describe('docker-compose.yml', () => {
  const { services, volumes } = jsYaml.load(read('docker-compose.yml')) as {
    readonly services: Readonly<Record<string, Service>>;
    readonly volumes: Readonly<Record<string, null>>;
  };
  const instances = Object.entries(services).filter(([, { build }]) => build === '.');

  it('has two instances over one PostgreSQL, with settings that the server takes', () => {
    expect(instances.map(([name]) => name)).toEqual(['suture-1', 'suture-2']);
    for (const [, { environment = {} }] of instances) {
      const given = Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [name, value.replaceAll(/\$\{\w+:-(.*?)\}/g, '$1')]),
      );
      expect(readConfig({ ...given, HOST: '0.0.0.0' }).databaseUrl).toBe(
        'postgresql://suture:suture@postgres:5432/suture',
      );
    }
    expect(Object.values(services).filter(({ image }) => image?.startsWith('postgres:'))).toHaveLength(1);
  });

  it('gives each time to stop, publishes the balancer alone and on this machine alone, and names each volume', () => {
    for (const [, { stop_grace_period: grace = '0s', ports }] of instances) {
      expect(Number.parseInt(grace, 10) * 1000).toBeGreaterThan(stopLimits.stopMs);
      expect(ports).toBeUndefined();
    }
    const published = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(published).toEqual(['127.0.0.1:8080:8080']);
    for (const { volumes: used = [] } of Object.values(services)) {
      for (const one of used) {
        const [source = ''] = one.split(':');
        expect([source, source.startsWith('./') ? existsSync(join(root, source)) : source in volumes]).toEqual([
          source,
          true,
        ]);
      }
    }
    for (const { depends_on: needs = {} } of Object.values(services)) {
      for (const name of Object.keys(needs)) expect(services[name]).toBeDefined();
    }
  });

  it('has a balancer that knows both instances and asks them whether they are ready', () => {
    const [file = ''] = services['balancer']?.volumes?.[0]?.split(':') ?? [];
    const balancer = read(file);
    for (const [name] of instances) expect(balancer).toMatch(new RegExp(`server ${name} ${name}:8080 check`));
    expect(balancer).toContain('/health/ready');
    expect(balancer).toMatch(/^ *bind \*:8080$/m);
  });
});

describe('What is shipped', () => {
  it('has a list of its parts (CycloneDX) with every dependency, without an install', () => {
    const sbom = JSON.parse(
      execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }),
    ) as {
      readonly bomFormat: string;
      readonly components: readonly { readonly group?: string; readonly name: string }[];
    };
    const { dependencies } = JSON.parse(read('package.json')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const names = new Set(sbom.components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`)));
    expect([sbom.bomFormat, Object.keys(dependencies).filter((name) => !names.has(name))]).toEqual(['CycloneDX', []]);
    expect(names.has('jest')).toBe(false);
  });

  it.each([
    [
      'a grave weakness',
      {
        vulnerabilities: { x: { name: 'x', severity: 'high', range: '<2' } },
        metadata: { vulnerabilities: { critical: 0, high: 1, moderate: 0, low: 0 } },
      },
      1,
      'high: x <2',
    ],
    [
      'a small one',
      { vulnerabilities: {}, metadata: { vulnerabilities: { critical: 0, high: 0, moderate: 1, low: 0 } } },
      0,
      '1 moderate',
    ],
    ['no answer', { error: { code: 'E405' } }, 0, 'left out'],
    ['nothing', undefined, 0, 'left out'],
  ])('is judged by npm audit: %s', (_what, report, status, said) => {
    const input = report === undefined ? '' : JSON.stringify(report);
    const ended = spawnSync(process.execPath, ['.ci/audit.mjs'], { cwd: root, input, encoding: 'utf8' });
    expect([ended.status, ended.stdout]).toEqual([status, expect.stringContaining(said)]);
  });
});
