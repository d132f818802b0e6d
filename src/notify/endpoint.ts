/**
 * Where notifications may go. An endpoint is checked twice by the same rules: as text when the Subscription is written,
 * and with the addresses of its host each time something is sent, because names change their meaning.
 */
import { isIP } from 'node:net';
import { kindOfAddress } from './address.ts';
import { notifyLimits } from './limits.ts';

export interface EndpointRules {
  /** For trials: this machine itself, over plain http too. */
  readonly allowsLoopback: boolean;
  /** Exact origins (`https://host:port`) that alone may be called, in private networks too; undefined: any public one. */
  readonly origins: ReadonlySet<string> | undefined;
}

/** Ports that webhooks use; others would make the server a scanner of ports. */
const ports = new Set(['', '443', '8443']);

/** The endpoint, or what is wrong with it (never quoting it: it may carry a secret). */
export function readEndpoint(text: string, rules: EndpointRules): URL | string {
  if (text.length > notifyLimits.endpointLengthMax)
    return `it is longer than ${notifyLimits.endpointLengthMax} characters`;
  if (!/^https?:\/\/[^\s\\#]+$/.test(text) || !URL.canParse(text))
    return 'it is not an http or https URL without fragment';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'it carries a user name or password: use channel.header';
  if (rules.allowsLoopback && isLoopbackHost(url)) return url;
  if (url.protocol !== 'https:') return 'it is not https';
  return faultOfHost(url, rules) ?? url;
}

function faultOfHost(url: URL, { origins }: EndpointRules): string | undefined {
  const host = hostOf(url);
  if (isLoopbackHost(url)) return 'its host is this machine itself (SUTURE_HOOKS_ALLOW_LOOPBACK is off)';
  if (origins !== undefined)
    return origins.has(url.origin) ? undefined : 'its origin is not among those that may be called';
  if (isIP(host) !== 0 && kindOfAddress(host) !== 'public') return 'its address is not public';
  if (isIP(host) === 0 && !host.includes('.')) return 'its host is not a full name';
  return ports.has(url.port) ? undefined : 'its port is not 443 or 8443';
}

/** Whether all addresses of the endpoint's host may be called; one that may not spoils the others. */
export function mayCall(url: URL, addresses: readonly string[], rules: EndpointRules): boolean {
  const isListed = rules.origins?.has(url.origin) ?? false;
  return (
    addresses.length > 0 &&
    addresses.every((address) => {
      const kind = kindOfAddress(address);
      if (kind === 'loopback') return rules.allowsLoopback;
      if (url.protocol !== 'https:') return false;
      if (kind === 'private') return isListed;
      return kind === 'public';
    })
  );
}

/** The host without the brackets of IPv6 and without the dot at the end of a full name. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

export function isLoopbackHost(url: URL): boolean {
  const host = hostOf(url);
  return host === 'localhost' || host.endsWith('.localhost') || kindOfAddress(host) === 'loopback';
}

/** One plain mailbox, so that nothing else can be said by the address: no parameters, no second recipient, no escapes. */
const mailbox = /^mailto:[\w.!#$'*+/=^`{|}~-]{1,64}@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})$/i;

export interface MailRules {
  /** Domains to which e-mail may go; undefined: there is no e-mail. */
  readonly mailDomains: ReadonlySet<string> | undefined;
  /** Domains of MSSanté mailboxes, and what lies below them: patient data may go there. */
  readonly mssanteDomains: ReadonlySet<string> | undefined;
}

/** The mailbox, or what is wrong with it. */
export function readMailbox(text: string, { mailDomains, mssanteDomains }: MailRules): URL | string {
  if (mailDomains === undefined && mssanteDomains === undefined) return 'this server sends no e-mail';
  const domain = mailbox.exec(text)?.[1];
  if (domain === undefined || text.length > notifyLimits.mailboxLengthMax) return 'it is not mailto: and one mailbox';
  const isAllowed = (mailDomains?.has(domain.toLowerCase()) ?? false) || isInDomains(domain, mssanteDomains);
  return isAllowed ? new URL(text) : 'its domain is not among those that may be written to';
}

/** Whether the domain of a mailbox, or a domain itself, is one of these or below one of them. */
export function isInDomains(mailboxOrDomain: string, domains: ReadonlySet<string> | undefined): boolean {
  const labels = (mailboxOrDomain.split('@').at(-1) ?? '').toLowerCase().split('.');
  return labels.some((_label, at) => domains?.has(labels.slice(at).join('.')) ?? false);
}
