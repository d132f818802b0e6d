/**
 * Secrets of subscriptions stand apart from the resource. Before a Subscription is stored, each header value and the
 * signing key is replaced by `sealed:` and a handle, and the value goes into a table that only deliveries read. So no read,
 * search, history, notification or export of resources can show it, whatever is written later.
 *
 * A client that reads a Subscription and writes it back keeps its secrets: a sealed value is accepted where the version
 * before has the same one, and only while the endpoint stays at its origin, because otherwise whoever may write a Subscription
 * could have its secrets sent to himself.
 */
import type { Subscription as FhirSubscription } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import { readHeaderLine, writeHeaderLine } from './header-lines.ts';
import { keyExtension } from './channel-terms.ts';

const seal = 'sealed:';

export interface Secret {
  readonly handle: string;
  readonly value: string;
}

export interface Sealing {
  readonly resource: Resource;
  /** Those that are new: to be stored with the resource. */
  readonly secrets: readonly Secret[];
  readonly issues: readonly Issue[];
}

export interface SealingInput {
  readonly before: Resource | undefined;
  readonly after: Resource;
  readonly newHandle: () => string;
  /** Gives a key to a Subscription that brings none. */
  readonly newKey: () => string;
}

/** Replaces every secret by a handle. The resource has passed `readSubscription`. */
export function sealSecrets({ before, after, newHandle, newKey }: SealingInput): Sealing {
  const secrets: Secret[] = [];
  const issues: Issue[] = [];
  const known = new Set(before !== undefined && isSameOrigin(before, after) ? handlesOf(before) : []);
  const sealed = (value: string, element: string): string => {
    if (!value.startsWith(seal)) {
      const handle = newHandle();
      secrets.push({ handle, value });
      return seal + handle;
    }
    if (!handleOf(value).some((handle) => known.has(handle))) issues.push(unknownSeal(element));
    return value;
  };
  const channel = channelOf(after);
  const header = channel.header?.map((line, index) => {
    const read = readHeaderLine(line);
    if (typeof read === 'string') throw new Error('a header that was refused came to be sealed');
    return writeHeaderLine({ name: read.name, value: sealed(read.value, `Subscription.channel.header[${index}]`) });
  });
  const key = keyOf(after) ?? (known.size > 0 && before !== undefined ? keyOf(before) : undefined) ?? newKey();
  const extension = [
    ...(channel.extension ?? []).filter(({ url }) => url !== keyExtension),
    { url: keyExtension, valueString: sealed(key, 'Subscription.channel.extension') },
  ];
  const resource = { ...after, channel: { ...channel, extension, ...(header === undefined ? {} : { header }) } };
  return { resource, secrets, issues };
}

function unknownSeal(expression: string): Issue {
  const text = 'a sealed value is kept only from the version before, at the same origin: give the value itself';
  return { severity: 'error', code: 'value', text, expression };
}

/** The handles that a stored Subscription points at. */
export function handlesOf(resource: Resource): readonly string[] {
  return [...headersOf(resource).map(({ value }) => value), keyOf(resource) ?? ''].flatMap(handleOf);
}

/** The handle in a sealed value; none in any other. */
export function handleOf(value: string): readonly string[] {
  return value.startsWith(seal) ? [value.slice(seal.length)] : [];
}

/** The value behind a seal; undefined when it is gone. What is not sealed stays. */
export function unseal(value: string, secrets: ReadonlyMap<string, string>): string | undefined {
  const [handle] = handleOf(value);
  return handle === undefined ? value : secrets.get(handle);
}

/** The Subscription with its secrets: for the answer to whoever created it, and nobody else. */
export function revealSecrets(resource: Resource, secrets: ReadonlyMap<string, string>): Resource {
  const channel = channelOf(resource);
  const shown = (value: string) => unseal(value, secrets) ?? value;
  const header = headersOf(resource).map(({ name, value }) => writeHeaderLine({ name, value: shown(value) }));
  const extension = channel.extension?.map((one) =>
    one.url === keyExtension && one.valueString !== undefined ? { ...one, valueString: shown(one.valueString) } : one,
  );
  return {
    ...resource,
    channel: {
      ...channel,
      ...(extension === undefined ? {} : { extension }),
      ...(header.length === 0 ? {} : { header }),
    },
  };
}

function headersOf(resource: Resource) {
  return (channelOf(resource).header ?? []).map(readHeaderLine).filter((line) => typeof line !== 'string');
}

function keyOf(resource: Resource): string | undefined {
  return channelOf(resource).extension?.find(({ url }) => url === keyExtension)?.valueString;
}

function isSameOrigin(before: Resource, after: Resource): boolean {
  return originOf(before) === originOf(after);
}

function originOf(resource: Resource): string {
  const { type, endpoint = '' } = channelOf(resource);
  return /^https?:/.test(endpoint) ? `${type} ${new URL(endpoint).origin}` : `${type} ${endpoint}`;
}

function channelOf(resource: Resource): FhirSubscription['channel'] {
  return (resource as unknown as FhirSubscription).channel;
}
