/** TLS of the server and certificates of its clients, by the settings; files that change are taken without a restart. */
import { readFile, stat } from 'node:fs/promises';
import { BlockList, isIPv6 } from 'node:net';
import { Server } from 'node:tls';
import { type Config, createRealClock, type Lifecycle, type Log, Problem } from '../base/index.ts';
import { type ServerTls, tlsOptions } from '../http/index.ts';
import { type CertificateOf, createCertificateOf } from '../identity/index.ts';

const changedEveryMs = 60_000;

/** undefined: plain HTTP. Throws when a file cannot be read. */
export async function readTls({ tlsCertificate, tlsKey, clientCa, clientCrl }: Config): Promise<ServerTls | undefined> {
  if (tlsCertificate === undefined || tlsKey === undefined) return undefined;
  const [cert, key, ca, crl] = await Promise.all([
    readPem(tlsCertificate),
    readPem(tlsKey),
    clientCa === undefined ? undefined : readPem(clientCa),
    clientCrl === undefined ? undefined : readPem(clientCrl),
  ]);
  return { cert, key, ...(ca !== undefined && { ca }), ...(crl !== undefined && { crl: listsIn(crl) }) };
}

/** undefined: no certificate of a client counts. */
export async function openCertificates(config: Config): Promise<CertificateOf | undefined> {
  if (config.clientCa === undefined) return undefined;
  const { proxies, certificateHeader: header } = config;
  return createCertificateOf({
    authorities: await readPem(config.clientCa),
    proxies: proxies && { addresses: addressesOf(proxies), header },
    // Certificates end by the real time, whatever clock the record has.
    now: createRealClock().now,
  });
}

function addressesOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** Certificates and lists are renewed while the server runs; what cannot be read leaves those that it has. */
export function followTls(server: unknown, { config, log }: { config: Config; log: Log }, lifecycle: Lifecycle): void {
  if (!(server instanceof Server)) return;
  const files = [config.tlsCertificate, config.tlsKey, config.clientCa, config.clientCrl];
  const stamp = async () =>
    (await Promise.all(files.map(async (file) => (file === undefined ? 0 : (await stat(file)).mtimeMs)))).join();
  let known: string | undefined;
  const look = async (): Promise<void> => {
    const found = await stamp();
    const isChanged = known !== undefined && known !== found;
    known = found;
    const tls = isChanged ? await readTls(config) : undefined;
    if (tls !== undefined) server.setSecureContext(tlsOptions(tls));
  };
  const lookSafely = () =>
    void look().catch(() => log.error({ component: 'http', reason: 'tls' }, 'certificates could not be read'));
  lookSafely();
  const timer = setInterval(lookSafely, changedEveryMs);
  timer.unref();
  lifecycle.onStop('certificates', () => Promise.resolve(clearInterval(timer)));
}

function listsIn(pem: string): readonly string[] {
  const lists = pem.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g);
  if (lists === null)
    throw new Problem('incorrect', 'the file of SUTURE_CLIENT_CRL has no list of revoked certificates');
  return lists;
}

function readPem(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Problem('incorrect', `the file ${file} cannot be read`, { cause });
  });
}
