/** Clients from the command line: the same resources that others write over HTTP, by the store's one write path. */
import { createPublicKey, hash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { clientIdPrefix, parseScopes, type Right, rights } from '../access/index.ts';
import { createLifecycle, Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { type Client, clientIdForm, clientResource, findClient, listClients, readClient } from '../identity/index.ts';
import { type AppInput, type Ground, openGround } from './ground.ts';

export const clientsUsage = `suture clients add ID [--name TEXT] --scope "system/*.rs" [--right NAME] [--finess N]
                      (--key FILE | --jwks URL | --certificate FILE | --subject DN | --issuer URL) [--bound]
                                      let an application in, or change what it may
suture clients list                   the clients, and what they may
suture clients revoke ID              shut one out, within five seconds
`;

const options = {
  name: { type: 'string' },
  scope: { type: 'string', multiple: true },
  right: { type: 'string', multiple: true },
  finess: { type: 'string' },
  key: { type: 'string', multiple: true },
  jwks: { type: 'string' },
  certificate: { type: 'string', multiple: true },
  subject: { type: 'string' },
  issuer: { type: 'string' },
  bound: { type: 'boolean', default: false },
} as const;

/** Lines to print; undefined: this is no command. Throws a Problem for a client that cannot be. */
export async function runClients(input: AppInput, args: readonly string[]): Promise<readonly string[] | undefined> {
  const [verb, ...rest] = args;
  const { values, positionals } = parseArgs({ args: rest, options, allowPositionals: true });
  const [id = ''] = positionals;
  const isComplete = verb === 'list' ? positionals.length === 0 : positionals.length === 1;
  if (!isComplete || (verb !== 'add' && verb !== 'list' && verb !== 'revoke')) return undefined;
  if (verb === 'add') {
    const client = await describe(id, values);
    const resource = resourceOf(client);
    return withGround(input, (ground) => add(ground, client, resource));
  }
  return withGround(input, (ground) => (verb === 'list' ? list(ground) : revoke(ground, id)));
}

async function withGround<T>(input: AppInput, work: (ground: Ground) => Promise<T>): Promise<T> {
  const lifecycle = createLifecycle(input.log);
  try {
    return await work(await openGround(input, input.config.baseUrl ?? 'http://127.0.0.1/fhir', lifecycle));
  } finally {
    await lifecycle.stop();
  }
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>['values'];

async function describe(id: string, values: Values): Promise<Client> {
  if (!clientIdForm.test(id)) throw new Problem('incorrect', 'a client is called by 1 to 57 letters, digits, - or .');
  const scopeTexts = (values.scope ?? []).flatMap((text) => text.split(/\s+/)).filter((text) => text !== '');
  const unknown = (values.right ?? []).filter((right) => !rights.some((one) => one === right));
  if (unknown.length > 0) {
    throw new Problem('incorrect', `${unknown.join(', ')} is no right; there are ${rights.join(', ')}`);
  }
  const keys = await Promise.all((values.key ?? []).map(readKeyFile));
  return {
    ...{ id, name: values.name, isActive: true, scopeTexts },
    scopes: parseScopes(scopeTexts.join(' ')).scopes,
    rights: (values.right ?? []) as readonly Right[],
    keys: keys.flat(),
    jwksUrl: values.jwks,
    issuer: values.issuer,
    finess: values.finess,
    certificates: await Promise.all((values.certificate ?? []).map(readThumbprint)),
    certificateSubject: values.subject,
    isBound: values.bound,
  };
}

/** A JWK, a set of them, or a public key or certificate in PEM. */
async function readKeyFile(file: string): Promise<readonly JWK[]> {
  const content = await readFile(file, 'utf8');
  const isPem = content.includes('-----BEGIN');
  if (isPem && content.includes('PRIVATE KEY')) {
    throw new Problem('incorrect', `${file} has a private key: give the public one, and keep this one to yourself`);
  }
  const found = isPem
    ? createPublicKey(content).export({ format: 'jwk' })
    : (JSON.parse(content) as JWK | { readonly keys: readonly JWK[] });
  const keys = 'keys' in found ? (found.keys as readonly JWK[]) : [found as JWK];
  return Promise.all(keys.map(async (key) => ({ ...key, kid: key.kid ?? (await calculateJwkThumbprint(key)) })));
}

async function readThumbprint(file: string): Promise<string> {
  return hash('sha256', new X509Certificate(await readFile(file)).raw, 'base64url');
}

function resourceOf(client: Client): Resource {
  const resource = clientResource(client);
  const reading = readClient(resource);
  if (reading.kind === 'ok') return resource;
  throw new Problem('incorrect', 'the client has faults', { issues: reading.issues });
}

async function add({ store, db }: Ground, client: Client, resource: Resource): Promise<readonly string[]> {
  const isKnown = (await findClient(db, client.id)) !== undefined;
  await store.commit([{ method: 'PUT', type: 'Basic', id: `${clientIdPrefix}${client.id}`, resource }]);
  const kids = client.keys.map(({ kid }) => `  key ${kid ?? 'without kid'}`);
  return [`${client.id} ${isKnown ? 'was changed' : 'was added'}`, ...kids];
}

async function list({ db }: Ground): Promise<readonly string[]> {
  return (await listClients(db)).map(({ id, isActive, scopeTexts, rights: own, issuer }) =>
    [id, isActive ? 'active' : 'revoked', scopeTexts.join(' '), own.join(' '), issuer ?? ''].join('\t').trimEnd(),
  );
}

async function revoke({ store, db }: Ground, id: string): Promise<readonly string[]> {
  const client = await findClient(db, id);
  if (client === undefined) throw new Problem('not-found', 'there is no client of this name');
  const resource = clientResource({ ...client, isActive: false });
  await store.commit([{ method: 'PUT', type: 'Basic', id: `${clientIdPrefix}${id}`, resource }]);
  return [`${id} was revoked`];
}
