/**
 * `X-Suture-Signature: t=<seconds>,v1=<hex>`: HMAC-SHA256 over `<seconds>.<body>` with the subscription's key, so that a receiver
 * knows who sent the body, and when: an old one sent again by somebody else has an old time.
 */
import { createHmac } from 'node:crypto';

export const signatureHeader = 'X-Suture-Signature';

export function signatureOf(key: string, body: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  const digest = createHmac('sha256', key).update(`${seconds}.${body}`, 'utf8').digest('hex');
  return `t=${seconds},v1=${digest}`;
}
