/** The guard of issue 2: without authentication the server stays on this machine. The real process is asked. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { requireBuild } from '../flows/process.ts';

const entry = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

function serve(settings: Readonly<Record<string, string>>): {
  readonly status: number | null;
  readonly stderr: string;
} {
  const env = { PATH: process.env['PATH'], DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none', ...settings };
  const { status, stderr } = spawnSync(process.execPath, [entry, 'serve'], { env, encoding: 'utf8', timeout: 25_000 });
  return { status, stderr };
}

describe('A server without authentication', () => {
  beforeAll(requireBuild, 300_000);

  it.each(['0.0.0.0', '::', '192.0.2.7', 'suture.example'])('A27: does not start on HOST %s, and says why', (HOST) => {
    const { status, stderr } = serve({ HOST });
    expect(status).toBe(1);
    expect(stderr).toContain(`HOST is ${HOST}, which others can reach, and there is no authentication`);
    expect(stderr).toContain('SUTURE_OPEN_NETWORK=true');
  });

  it('names all faults of its settings at once', () => {
    const { status, stderr } = serve({ HOST: '0.0.0.0', PORT: 'many', SUTURE_CLOCK: 'noon', SUTURE_NONSENSE: '1' });
    expect(status).toBe(1);
    for (const name of ['HOST', 'PORT', 'SUTURE_CLOCK', 'SUTURE_NONSENSE']) expect(stderr).toContain(name);
  });
});
