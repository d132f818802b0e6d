import { describe, expect, it } from '@jest/globals';
import { type AddressKind, kindOfAddress } from '../../src/notify/address.ts';

const table: readonly (readonly [AddressKind, readonly string[]])[] = [
  ['loopback', ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1']],
  ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd00::1', '::ffff:10.1.2.3']],
  ['public', ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2a01:e0a::1', '2606:4700::1111']],
  [
    'never',
    [
      ...['0.0.0.0', '169.254.169.254', '168.63.129.16', '192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1'],
      ...['203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255', '::ffff:169.254.169.254', '::ffff:8.8.8.8'],
      ...['::', '::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::1', '100::1', '2001::1', '2001:db8::1', '2002:7f00:1::'],
      ...['3fff::1', '5f00::1', 'fe80::1', 'fec0::1', 'ff02::1', 'localhost', '', '127.1'],
    ],
  ],
];

describe('an address', () => {
  it.each(table.flatMap(([kind, addresses]) => addresses.map((address) => [address, kind] as const)))(
    '%s is %s',
    (address, kind) => {
      expect(kindOfAddress(address)).toBe(kind);
    },
  );
});
