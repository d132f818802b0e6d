/**
 * From a host to its addresses. Asked of the name servers directly, because `lookup` waits in a pool of four threads,
 * where a few slow names would hold up everybody; `lookup` is asked only for what they do not know (/etc/hosts, mDNS).
 */
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

export type Resolve = (host: string) => Promise<readonly string[]>;

const resolver = { timeout: 1500, tries: 2 };

/** Answers no address when the host has none. */
export const resolveHost: Resolve = async (host) => {
  if (isIP(host) !== 0) return [host];
  if (!host.includes('.')) return lookUp(host);
  const names = new Resolver(resolver);
  const [ipv4, ipv6] = await Promise.allSettled([names.resolve4(host), names.resolve6(host)]);
  const found = [ipv4, ipv6].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  return found.length > 0 ? found : lookUp(host);
};

async function lookUp(host: string): Promise<readonly string[]> {
  const [answer] = await Promise.allSettled([lookup(host, { all: true, verbatim: false })]);
  return answer.status === 'fulfilled' ? answer.value.map(({ address }) => address) : [];
}
