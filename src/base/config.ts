/**
 * The configuration: one schema of settings, read once at the start from environment variables, frozen, and passed on
 * as part of what each piece needs. The table in the README is held against it by a test.
 *
 * Wrong configuration stops the start with every fault listed; a variable with our prefix that the schema does not know
 * is a fault too, because it is most likely a misspelt one. An empty variable counts as unset.
 */
import type { LogLevel } from './log.ts';
import { type AccessConfig, accessFaults, accessSettings } from './access-settings.ts';
import { type LimitConfig, limitFaults, limitSettings } from './limit-settings.ts';
import { type ListenerConfig, listenerFaults, listenerSettings } from './listener-settings.ts';
import { type Issue, Problem } from './problem.ts';
import { type ReplicaConfig, replicaFaults, replicaSettings } from './replica-settings.ts';
import { isLoopback, listOf, oneOf, type Setting, text, url, wholeNumber, yesOrNo } from './setting.ts';

export interface Config extends ListenerConfig, AccessConfig, LimitConfig, ReplicaConfig {
  readonly port: number;
  readonly host: string;
  /** undefined: the embedded PostgreSQL. */
  readonly databaseUrl: string | undefined;
  readonly dataFolder: string;
  readonly clock: 'real' | { readonly startMs: number };
  /** IANA name. */
  readonly zone: string;
  readonly allowsLoopbackHooks: boolean;
  /** Exact origins that alone subscriptions may call; undefined: any public one. */
  readonly hookOrigins: readonly string[] | undefined;
  /** Subscriptions that are not over, of the whole server and of one caller. */
  readonly subscriptionsMax: number;
  readonly subscriptionsPerCallerMax: number;
  /** The SMTP server by which e-mail leaves; undefined: there is no e-mail. */
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string | undefined;
  /** Domains that e-mail may go to, in lower case. */
  readonly mailDomains: readonly string[] | undefined;
  /** Domains of MSSanté, in lower case; what lies below them is meant too. */
  readonly mssanteDomains: readonly string[] | undefined;
  readonly mssanteSoftware: string | undefined;
  /** FHIR base of the bridge to the DMP. */
  readonly dmpUrl: string | undefined;
  readonly dmpToken: string | undefined;
  readonly allowsTestIns: boolean;
  readonly references: 'recorded' | 'enforced';
  readonly conditionalDelete: 'single' | 'multiple';
  readonly validation: 'off' | 'claimed' | 'required';
  /** Canonicals; undefined: none. */
  readonly requiredProfiles: readonly string[] | undefined;
  /** undefined: none. */
  readonly packagesFolder: string | undefined;
  readonly isNetworkOpen: boolean;
  /** undefined: made from the address that the server listens on. No slash at the end. */
  readonly baseUrl: string | undefined;
  readonly logLevel: LogLevel;
  /** Of a collector; undefined: no traces. */
  readonly otlpUrl: string | undefined;
  /** Percent of the traces. */
  readonly traceShare: number;
  /** Local times, `HH:MM`. */
  readonly quietHours: { readonly from: string; readonly to: string } | undefined;
  readonly proofAwaitedHours: number;
}

const settings: { readonly [Key in keyof Config]: Setting<Config[Key]> } = {
  port: {
    name: 'PORT',
    fallback: '8080',
    sentence: 'TCP port of the server; 0 takes a free one.',
    ...wholeNumber(0, 65_535),
  },
  host: {
    name: 'HOST',
    fallback: '127.0.0.1',
    sentence: 'Address to listen on; other than loopback only with `SUTURE_AUTH=smart` or `SUTURE_OPEN_NETWORK`.',
    ...text('a host name or an address'),
  },
  databaseUrl: {
    name: 'DATABASE_URL',
    fallback: undefined,
    sentence:
      'PostgreSQL 14 or newer, `postgresql://user:password@host:5432/name`; unset: an embedded one under `SUTURE_DATA_DIR`.',
    isSecret: true,
    ...url('postgres', 'postgresql'),
  },
  ...replicaSettings,
  dataFolder: {
    name: 'SUTURE_DATA_DIR',
    fallback: './data',
    sentence: 'Folder of everything that Suture keeps outside an external database.',
    ...text('a folder'),
  },
  clock: {
    name: 'SUTURE_CLOCK',
    fallback: 'real',
    sentence: '`real`, or an instant such as `2026-03-02T08:00:00+01:00` at which a manual clock starts (for trials).',
    expected: '`real` or an ISO 8601 instant with its offset',
    read: readClock,
  },
  zone: {
    name: 'SUTURE_ZONE',
    fallback: 'Europe/Paris',
    sentence: 'Time zone of local days and deadlines where patient and organisation have none of their own.',
    expected: 'an IANA time zone such as `Indian/Reunion`',
    read: (name) => (name === 'UTC' || Intl.supportedValuesOf('timeZone').includes(name) ? name : undefined),
  },
  allowsLoopbackHooks: {
    name: 'SUTURE_HOOKS_ALLOW_LOOPBACK',
    fallback: 'false',
    sentence: 'Whether subscriptions may call this machine itself, over plain http (for trials).',
    ...yesOrNo(),
  },
  hookOrigins: {
    name: 'SUTURE_HOOK_ORIGINS',
    fallback: undefined,
    sentence:
      'Origins that alone subscriptions may call, in private networks too: `https://his.chu.example,https://ma.chu.example:9443`; unset: any public https endpoint on port 443 or 8443.',
    ...listOf('https origins such as `https://host:8443`', readOrigin),
  },
  subscriptionsMax: {
    name: 'SUTURE_SUBSCRIPTIONS_MAX',
    fallback: '10000',
    sentence: 'Subscriptions that may be active at the same time, all callers together; one more is refused (403).',
    ...wholeNumber(1, 1_000_000),
  },
  subscriptionsPerCallerMax: {
    name: 'SUTURE_SUBSCRIPTIONS_PER_CALLER',
    fallback: '1000',
    sentence: 'The same of one caller, where callers are told apart.',
    ...wholeNumber(1, 1_000_000),
  },
  smtpUrl: {
    name: 'SUTURE_SMTP_URL',
    fallback: undefined,
    sentence:
      'SMTP server by which all mail leaves, `smtps://user:password@host:465` or `smtp://host:587` (STARTTLS); unset: none.',
    isSecret: true,
    ...url('smtp', 'smtps'),
  },
  mailFrom: {
    name: 'SUTURE_MAIL_FROM',
    fallback: undefined,
    sentence: 'Address from which e-mail comes; needed with `SUTURE_SMTP_URL`.',
    expected: 'a mail address',
    read: (value) => (/^[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*$/.test(value) ? value : undefined),
  },
  mailDomains: {
    name: 'SUTURE_MAIL_DOMAINS',
    fallback: undefined,
    sentence:
      'Domains that alone subscriptions by e-mail may write to, e.g. `chu.example`; `SUTURE_SMTP_URL` needs these or those of MSSanté.',
    ...listOf('domains', readDomain),
  },
  mssanteDomains: {
    name: 'SUTURE_MSSANTE_DOMAINS',
    fallback: undefined,
    sentence:
      'Domains of MSSanté with what lies below them, e.g. `mssante.fr`: letters go there (`$mssante`), and subscriptions by e-mail may carry whole resources there; needs `SUTURE_SMTP_URL`.',
    ...listOf('domains', readDomain),
  },
  mssanteSoftware: {
    name: 'SUTURE_MSSANTE_NIL',
    fallback: undefined,
    sentence: 'Number of this software in MSSanté mails (header `X-MSS-NIL`); unset: no such header.',
    expected: 'letters, digits, `.`, `-` or `_`',
    read: (value) => (/^[\w.-]{1,60}$/.test(value) ? value : undefined),
  },
  dmpUrl: {
    name: 'SUTURE_DMP_URL',
    fallback: undefined,
    sentence: 'FHIR base of the bridge to which `$publish` sends documents as IHE MHD ITI-65 (DMP); unset: none.',
    ...url('http', 'https'),
  },
  dmpToken: {
    name: 'SUTURE_DMP_TOKEN',
    fallback: undefined,
    sentence: 'Bearer token for `SUTURE_DMP_URL`; unset: none.',
    isSecret: true,
    expected: 'a token of visible ASCII',
    read: (value) => (/^[\x21-\x7e]{1,4000}$/.test(value) ? value : undefined),
  },
  ...accessSettings,
  allowsTestIns: {
    name: 'SUTURE_ALLOW_TEST_INS',
    fallback: 'false',
    sentence: 'Whether INS of the national test domains are taken as identities.',
    ...yesOrNo(),
  },
  ...listenerSettings,
  references: {
    name: 'SUTURE_REFERENCES',
    fallback: 'recorded',
    sentence:
      '`recorded`: a reference to what is not there (yet) is kept; `enforced`: it is refused, and so is a delete while others refer to the resource.',
    ...oneOf('recorded', 'enforced'),
  },
  conditionalDelete: {
    name: 'SUTURE_CONDITIONAL_DELETE',
    fallback: 'single',
    sentence:
      '`single`: a delete by criteria that finds several resources is refused; `multiple`: it deletes up to 1000.',
    ...oneOf('single', 'multiple'),
  },
  validation: {
    name: 'SUTURE_VALIDATION',
    fallback: 'claimed',
    sentence:
      'Base R4 is always checked; `claimed`: the profiles in `meta.profile` and known extensions too; `required`: and those of `SUTURE_REQUIRED_PROFILES`.',
    ...oneOf('off', 'claimed', 'required'),
  },
  requiredProfiles: {
    name: 'SUTURE_REQUIRED_PROFILES',
    fallback: undefined,
    sentence:
      'Canonicals of profiles, with spaces between, that all resources of their type must conform to (with `SUTURE_VALIDATION=required`).',
    expected: 'canonical URLs with spaces between',
    read: readCanonicals,
  },
  packagesFolder: {
    name: 'SUTURE_PACKAGES',
    fallback: undefined,
    sentence: 'Folder of FHIR packages (`*.tgz`) that are loaded at start where they are not yet; unset: none.',
    ...text('a folder'),
  },
  isNetworkOpen: {
    name: 'SUTURE_OPEN_NETWORK',
    fallback: 'false',
    sentence:
      'Lets the server listen beyond this machine without authentication: only behind something that guards it.',
    ...yesOrNo(),
  },
  baseUrl: {
    name: 'SUTURE_BASE_URL',
    fallback: undefined,
    sentence: 'FHIR base as clients see it, e.g. behind a proxy; unset: `http://HOST:PORT/fhir`.',
    ...url('http', 'https'),
  },
  logLevel: {
    name: 'SUTURE_LOG_LEVEL',
    fallback: 'info',
    sentence: '`debug`, `info`, `warn`, `error` or `silent`; the log goes to stderr as JSON lines.',
    ...oneOf('debug', 'info', 'warn', 'error', 'silent'),
  },
  otlpUrl: {
    name: 'SUTURE_OTLP_URL',
    fallback: undefined,
    sentence:
      'Where traces go (OpenTelemetry, OTLP over HTTP), e.g. `http://127.0.0.1:4318/v1/traces`; unset: none, and nothing of it is loaded.',
    ...url('http', 'https'),
  },
  traceShare: {
    name: 'SUTURE_TRACE_SHARE',
    fallback: '10',
    sentence: 'Percent of the traces that are sent.',
    ...wholeNumber(1, 100),
  },
  ...limitSettings,
  quietHours: {
    name: 'SUTURE_QUIET_HOURS',
    fallback: undefined,
    sentence:
      'Local hours without calls, e.g. `21:00-07:00`; critical breaks call all the same, the others at their end.',
    expected: 'two local times such as `21:00-07:00`',
    read: readHours,
  },
  proofAwaitedHours: {
    name: 'SUTURE_PROOF_HOURS',
    fallback: '72',
    sentence: 'How many hours a repair that a person declared waits for its proof before the break is open again.',
    ...wholeNumber(1, 8760),
  },
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws a Problem whose issues are all the faults. */
export function readConfig(environment: Environment): Config {
  const faults: string[] = unknownNames(environment).map((name) => `${name} is not a setting of Suture`);
  const entries = Object.entries<Setting<unknown>>(settings).map(([key, setting]) => {
    const text = environment[setting.name] || setting.fallback;
    const value = text === undefined ? undefined : setting.read(text);
    if (text !== undefined && value === undefined) faults.push(faultOf(setting, text));
    return [key, value];
  });
  const config = Object.freeze(Object.fromEntries(entries)) as Config;
  faults.push(...exposureFaults(config), ...mailFaults(config), ...listenerFaults(config));
  faults.push(...accessFaults(config), ...limitFaults(config), ...replicaFaults(config));
  if (faults.length > 0) throw wrongConfiguration(faults);
  return config;
}

/** Without authentication only this machine itself may ask. */
function exposureFaults({ host, auth, isNetworkOpen }: Partial<Config>): readonly string[] {
  if (host === undefined || auth !== 'none' || isNetworkOpen === true || isLoopback(host)) return [];
  return [
    `HOST is ${host}, which others can reach, and there is no authentication: leave it at 127.0.0.1, set ` +
      'SUTURE_AUTH=smart, or SUTURE_OPEN_NETWORK=true where something else guards the server',
  ];
}

function mailFaults({ smtpUrl, mailFrom, mailDomains, mssanteDomains }: Partial<Config>): readonly string[] {
  const given = [smtpUrl, mailFrom, mailDomains ?? mssanteDomains].filter((one) => one !== undefined).length;
  if (given === 0 || given === 3) return [];
  return ['SUTURE_SMTP_URL, SUTURE_MAIL_FROM and SUTURE_MAIL_DOMAINS or SUTURE_MSSANTE_DOMAINS go together'];
}

/** The settings as the table of the README, in Markdown. */
export function settingsTable(): string {
  const rows = Object.values<Setting<unknown>>(settings).map(
    ({ name, fallback, sentence }) =>
      `| \`${name}\` | ${fallback === undefined ? 'unset' : `\`${fallback}\``} | ${sentence} |\n`,
  );
  return `| setting | default | meaning |\n|---|---|---|\n${rows.join('')}`;
}

function unknownNames(environment: Environment): readonly string[] {
  const known = new Set(Object.values<Setting<unknown>>(settings).map(({ name }) => name));
  return Object.keys(environment).filter((name) => name.startsWith('SUTURE_') && !known.has(name));
}

function faultOf({ name, expected, isSecret }: Setting<unknown>, text: string): string {
  return `${name} is ${isSecret ? 'something else' : JSON.stringify(text)}, expected ${expected}`;
}

function wrongConfiguration(faults: readonly string[]): Problem {
  const issues = faults.map((text): Issue => ({ severity: 'error', code: 'invalid', text }));
  return new Problem('incorrect', `the configuration is wrong: ${faults.join('; ')}`, { issues });
}

function readDomain(value: string): string | undefined {
  return /^[\w-]+(?:\.[\w-]+)+$/.test(value) ? value.toLowerCase() : undefined;
}

/** As URL.origin writes it. */
function readOrigin(value: string): string | undefined {
  if (!URL.canParse(value)) return undefined;
  const { protocol, origin, href } = new URL(value);
  return protocol === 'https:' && href === `${origin}/` ? origin : undefined;
}

function readCanonicals(value: string): readonly string[] | undefined {
  const canonicals = value.split(/\s+/).filter((one) => one !== '');
  return canonicals.every((one) => /^(?:https?:\/\/|urn:)\S+$/.test(one)) ? canonicals : undefined;
}

/** The calendar is checked too: JavaScript reads 30 February as 2 March. */
function readClock(value: string): Config['clock'] | undefined {
  if (value === 'real') return 'real';
  const parts = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.exec(value);
  const startMs = Date.parse(value);
  const day = parts?.[1];
  if (day === undefined || Number.isNaN(startMs) || !new Date(day).toISOString().startsWith(day)) return undefined;
  return { startMs };
}

function readHours(value: string): Config['quietHours'] {
  const [from, to] = /^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/.test(value) ? value.split('-') : [];
  return from === undefined || to === undefined || from === to ? undefined : { from, to };
}
