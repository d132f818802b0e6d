/** Settings of who may ask: authentication, and what proves who somebody is. */
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
};
