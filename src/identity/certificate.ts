/**
 * Certificates that clients show: in TLS of our own, where OpenSSL has held them against the authorities and lists of the settings; or
 * by way of a proxy, in a header that counts from the proxy's address alone. What a proxy hands on is held against the authorities, its
 * time and its purpose once more; whether it was revoked the proxy must have looked at.
 *
 * IGC-Santé writes into the subject (OU) whose certificate it is: `1` and the FINESS of the organisation.
 */
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type BlockList, isIPv6 } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Problem } from '../base/index.ts';

/** A certificate that a client has shown, natively or by way of a proxy that we trust. */
export interface ShownCertificate {
  /** SHA-256 of its DER, base64url (x5t#S256). */
  readonly thumbprint: string;
  /** As RFC 4514 writes it, most specific name first: `CN=..,OU=..,O=..,C=FR`. */
  readonly subject: string;
  /** FINESS of the organisation that IGC-Santé gave it to, where its subject says so. */
  readonly finess: string | undefined;
}

/** Throws `unauthenticated` for a certificate that is not good; undefined: none was shown. */
export type CertificateOf = (request: IncomingMessage) => ShownCertificate | undefined;

export interface CertificateInput {
  /** PEM: the authorities that alone count, those between root and client too. */
  readonly authorities: string;
  /** Addresses of proxies, and the header in which they hand on what they were shown. */
  readonly proxies: { readonly addresses: BlockList; readonly header: string } | undefined;
  readonly now: () => number;
}

export function createCertificateOf({ authorities, proxies, now }: CertificateInput): CertificateOf {
  const known = readAuthorities(authorities);
  const ofSockets = new WeakMap<TLSSocket, ShownCertificate | undefined>();
  return (request) => {
    const { socket } = request;
    if (proxies !== undefined && isAmong(proxies.addresses, socket.remoteAddress)) {
      return handedOn(request, { header: proxies.header, authorities: known, nowMs: now() });
    }
    if (!(socket instanceof TLSSocket)) return undefined;
    if (!ofSockets.has(socket)) ofSockets.set(socket, ofSocket(socket));
    return ofSockets.get(socket);
  };
}

/** The certificates of a PEM file; throws when there is none, or one cannot be read. */
export function readAuthorities(pem: string): readonly X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new Problem('incorrect', 'the file of SUTURE_CLIENT_CA has no certificate');
  return found.map((one) => new X509Certificate(one));
}

function ofSocket(socket: TLSSocket): ShownCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  if (!socket.authorized) throw notGood();
  return describe(certificate);
}

export function describe(certificate: X509Certificate): ShownCertificate {
  const names = certificate.subject.split('\n');
  const [, finess] =
    names.flatMap((name) => [/^OU=1([\dAB]{9})$/.exec(name) ?? []]).find((one) => one.length > 0) ?? [];
  return {
    thumbprint: Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
    subject: names.toReversed().join(','),
    finess,
  };
}

function isAmong(addresses: BlockList, address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  return addresses.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

interface HandedOn {
  readonly header: string;
  readonly authorities: readonly X509Certificate[];
  readonly nowMs: number;
}

function handedOn({ headers, rawHeaders }: IncomingMessage, of: HandedOn): ShownCertificate | undefined {
  const value = headers[of.header];
  if (value === undefined || value === '') return undefined;
  const count = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === of.header).length;
  const certificate = typeof value === 'string' && count === 1 ? readHeader(value) : undefined;
  if (certificate === undefined || !isGood(certificate, of)) throw notGood();
  return describe(certificate);
}

const headerMax = 16_000;

/** `:base64:` (RFC 9440), PEM percent-encoded (nginx), or base64 without more (Traefik). */
function readHeader(value: string): X509Certificate | undefined {
  if (value.length > headerMax) return undefined;
  try {
    if (value.startsWith('-----BEGIN')) return new X509Certificate(decodeURIComponent(value.replaceAll('+', '%2B')));
    return new X509Certificate(Buffer.from(value.replace(/^:(.+):$/, '$1'), 'base64'));
  } catch {
    return undefined;
  }
}

const clientPurpose = '1.3.6.1.5.5.7.3.2';

function isGood(certificate: X509Certificate, { authorities, nowMs }: HandedOn): boolean {
  const isInTime = ({ validFrom, validTo }: X509Certificate) =>
    Date.parse(validFrom) <= nowMs && Date.parse(validTo) > nowMs;
  // Node calls the extended key usage so.
  const purposes = certificate.keyUsage as readonly string[] | undefined;
  const isIssued = authorities.some(
    (one) => certificate.checkIssued(one) && certificate.verify(one.publicKey) && isInTime(one),
  );
  return isIssued && isInTime(certificate) && purposes?.includes(clientPurpose) !== false && !certificate.ca;
}

function notGood(): Problem {
  return new Problem('unauthenticated', 'the credential is not good', { challenge: 'Bearer error="invalid_token"' });
}
