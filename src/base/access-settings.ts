/** Settings of who may ask: authentication, and what proves who somebody is. */
import { isIP } from 'node:net';
import { listOf, oneOf, type Setting, text, wholeNumber } from './setting.ts';

export interface AccessConfig {
  readonly auth: 'none' | 'smart';
  /** JWS algorithms that clients may sign their assertions with. */
  readonly clientAlgorithms: readonly string[];
  /** A file of JSON: the issuers whose tokens are taken beside our own; undefined: none. */
  readonly issuersFile: string | undefined;
  /** undefined: as there is authentication. */
  readonly audit: 'on' | 'off' | undefined;
  readonly auditMonths: number;
  /** Files of PEM; both or none. */
  readonly tlsCertificate: string | undefined;
  readonly tlsKey: string | undefined;
  /** Files of PEM; undefined: no certificate of a client counts, none is looked up in a list. */
  readonly clientCa: string | undefined;
  readonly clientCrl: string | undefined;
  /** Addresses and networks (CIDR); undefined: none. */
  readonly proxies: readonly string[] | undefined;
  /** In lower case. */
  readonly certificateHeader: string;
}

/** Signatures by a private key; a shared secret is none. */
export const signatureAlgorithms: readonly string[] = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
];

export const accessSettings: { readonly [Key in keyof AccessConfig]: Setting<AccessConfig[Key]> } = {
  auth: {
    name: 'SUTURE_AUTH',
    fallback: 'none',
    sentence:
      '`none`: everybody who reaches the server may everything; `smart`: a token is needed (SMART Backend Services, or one of `SUTURE_ISSUERS`).',
    ...oneOf('none', 'smart'),
  },
  clientAlgorithms: {
    name: 'SUTURE_CLIENT_ALGORITHMS',
    fallback: 'ES384,RS384',
    sentence: 'Algorithms that alone clients may sign with when they ask for a token.',
    ...listOf(`of ${signatureAlgorithms.join(', ')}`, (one) => signatureAlgorithms.find((each) => each === one)),
  },
  issuersFile: {
    name: 'SUTURE_ISSUERS',
    fallback: undefined,
    sentence:
      'File (JSON) of the issuers whose tokens are taken besides those of this server: Keycloak, Pro Santé Connect (`src/decisions/0042-who-asks.md`); unset: none.',
    ...text('a file'),
  },
  audit: {
    name: 'SUTURE_AUDIT',
    fallback: undefined,
    sentence: '`on`: who reads, seeks or writes what is kept as AuditEvents; unset: with `SUTURE_AUTH=smart` alone.',
    ...oneOf('on', 'off'),
  },
  auditMonths: {
    name: 'SUTURE_AUDIT_MONTHS',
    fallback: '36',
    sentence: 'Whole months for which AuditEvents are kept; what is older goes when a month begins.',
    ...wholeNumber(6, 1200),
  },
  tlsCertificate: {
    name: 'SUTURE_TLS_CERTIFICATE',
    fallback: undefined,
    sentence: 'File of the certificate (PEM, with its chain) of the server, read again when it changes; unset: no TLS.',
    ...text('a file'),
  },
  tlsKey: {
    name: 'SUTURE_TLS_KEY',
    fallback: undefined,
    sentence: 'File of its private key (PEM).',
    ...text('a file'),
  },
  clientCa: {
    name: 'SUTURE_CLIENT_CA',
    fallback: undefined,
    sentence:
      'File of the authorities (PEM, those between root and client too, such as the chain of IGC-Santé) that alone vouch for certificates of clients; unset: none counts.',
    ...text('a file'),
  },
  clientCrl: {
    name: 'SUTURE_CLIENT_CRL',
    fallback: undefined,
    sentence:
      'File of the lists of revoked certificates (PEM, one of each authority), read again when it changes; unset: whether one is revoked is not looked at. What a proxy hands on, the proxy must have looked up.',
    ...text('a file'),
  },
  proxies: {
    name: 'SUTURE_PROXIES',
    fallback: undefined,
    sentence:
      'Addresses or networks of proxies, e.g. `10.1.0.4,10.2.0.0/24`, that alone are believed whom they speak for: X-Forwarded-For, and the certificate that a client showed them; unset: none.',
    ...listOf('addresses, or networks such as `10.2.0.0/24`', readNetwork),
  },
  certificateHeader: {
    name: 'SUTURE_CERTIFICATE_HEADER',
    fallback: 'client-cert',
    sentence:
      'Header in which those proxies hand on the certificate of a client: as RFC 9440 has it, as escaped PEM (nginx) or as base64 (Traefik).',
    expected: 'the name of a header',
    read: (value) => (/^[\w-]{1,60}$/.test(value) ? value.toLowerCase() : undefined),
  },
};

function readNetwork(value: string): string | undefined {
  const [address = '', bits, ...more] = value.split('/');
  const family = isIP(address);
  const isWhole = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
  return family !== 0 && isWhole && more.length === 0 ? value : undefined;
}

/** What does not go together. */
export function accessFaults(config: Partial<AccessConfig>): readonly string[] {
  const { auth, tlsCertificate, tlsKey, clientCa, clientCrl, proxies } = config;
  const isUnseen = clientCa !== undefined && tlsCertificate === undefined && proxies === undefined;
  return [
    ...((tlsCertificate === undefined) === (tlsKey === undefined)
      ? []
      : ['SUTURE_TLS_CERTIFICATE and SUTURE_TLS_KEY go together']),
    ...(isUnseen ? ['SUTURE_CLIENT_CA needs SUTURE_TLS_CERTIFICATE or SUTURE_PROXIES'] : []),
    ...(clientCa !== undefined && auth === 'none' ? ['SUTURE_CLIENT_CA needs SUTURE_AUTH=smart'] : []),
    ...(clientCrl !== undefined && clientCa === undefined ? ['SUTURE_CLIENT_CRL needs SUTURE_CLIENT_CA'] : []),
  ];
}
