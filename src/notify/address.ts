/**
 * Which addresses an outbound call may reach. What is not known to be public is refused: the forms that carry another
 * address inside (mapped, NAT64, 6to4, Teredo), and everything that only means something near this machine.
 * Registries: https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry.
 */
import { BlockList, isIP } from 'node:net';

/** `private`: may be a neighbour in a hospital's network, for origins that an administrator has named. */
export type AddressKind = 'public' | 'private' | 'loopback' | 'never';

const loopback = blockList(['127.0.0.0/8'], ['::1/128']);
const neighbours = blockList(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'], ['fc00::/7']);
const special = blockList(
  [
    '0.0.0.0/8',
    '169.254.0.0/16', // link-local, and the metadata of cloud machines
    '168.63.129.16/32', // the same of Azure
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '224.0.0.0/3',
  ],
  // Inside 2000::/3: protocol assignments with Teredo, documentation, 6to4.
  ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
);
const globalUnicast = blockList([], ['2000::/3']);

export function kindOfAddress(address: string): AddressKind {
  const family = isIP(address);
  if (family === 0) return 'never';
  const isIn = (list: BlockList) => list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  // A mapped address (::ffff:10.0.0.1) is found in the lists of IPv4: it says loopback or neighbour, never public.
  if (isIn(loopback)) return 'loopback';
  if (isIn(neighbours)) return 'private';
  if (isIn(special)) return 'never';
  return family === 4 || isIn(globalUnicast) ? 'public' : 'never';
}

function blockList(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList();
  const add = (subnet: string, family: 'ipv4' | 'ipv6') => {
    const [network = '', bits] = subnet.split('/');
    list.addSubnet(network, Number(bits), family);
  };
  for (const subnet of ipv4) add(subnet, 'ipv4');
  for (const subnet of ipv6) add(subnet, 'ipv6');
  return list;
}
