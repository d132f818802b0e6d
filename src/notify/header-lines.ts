/** `Subscription.channel.header`: lines `Name: value` that go with each notification (https://hl7.org/fhir/R4/subscription-definitions.html#Subscription.channel.header). */
import { notifyLimits } from './limits.ts';

export interface HeaderLine {
  readonly name: string;
  readonly value: string;
}

/** What frames the call, decides its way, or is ours to say. */
const reserved = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'date',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);
const reservedPrefixes = ['proxy-', 'sec-', 'x-forwarded-', 'x-suture-', 'if-'];

/** A token, a colon, and printable ASCII: no line break can pass (https://www.rfc-editor.org/rfc/rfc9110#section-5.5). */
const form = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)[ \t]*$/;

/** The line read, or what is wrong with it (never quoting its value). */
export function readHeaderLine(line: string): HeaderLine | string {
  if (line.length > notifyLimits.headerLengthMax) return `it is longer than ${notifyLimits.headerLengthMax} characters`;
  const [, name, value] = form.exec(line) ?? [];
  if (name === undefined || value === undefined) return 'it is not `Name: value` in printable ASCII';
  const lower = name.toLowerCase();
  if (reserved.has(lower) || reservedPrefixes.some((prefix) => lower.startsWith(prefix))) {
    return `the header ${lower} is not for subscriptions to set`;
  }
  return { name, value };
}

export function writeHeaderLine({ name, value }: HeaderLine): string {
  return `${name}: ${value}`;
}
