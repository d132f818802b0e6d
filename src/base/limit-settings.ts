/** Those limits that an operator sets to his machine; the numbers that hold otherwise stand in limits.ts. */
import { databaseLimits, httpLimits, interactionLimits, stopLimits } from './limits.ts';
import { type Setting, wholeNumber } from './setting.ts';

export interface LimitConfig {
  /** Bytes. */
  readonly bodyMax: number;
  readonly bodiesMax: number;
  readonly bundleEntriesMax: number;
  readonly pageMax: number;
  readonly inFlightMax: number;
  readonly connectionsMax: number;
  /** Requests of one client in a minute; 0: as many as it likes; undefined: as there is authentication. */
  readonly clientRate: number | undefined;
  readonly requestTimeoutMs: number;
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  readonly stopMs: number;
  /** undefined: work may wait for any time. */
  readonly readyQueueAge: number | undefined;
}

const mebibyte = 1024 * 1024;

/** A whole number of a larger unit. */
function times(unit: number, min: number, max: number) {
  const { expected, read } = wholeNumber(min, max);
  return {
    expected,
    read: (value: string) => {
      const number = read(value);
      return number === undefined ? undefined : number * unit;
    },
  };
}

export const limitSettings: { readonly [Key in keyof LimitConfig]: Setting<LimitConfig[Key]> } = {
  bodyMax: {
    name: 'SUTURE_BODY_MAX',
    fallback: String(httpLimits.bodyMax / mebibyte),
    sentence: 'Largest body of a request, unpacked, in MiB (413).',
    ...times(mebibyte, 1, 500),
  },
  bodiesMax: {
    name: 'SUTURE_BODIES_MAX',
    fallback: String(httpLimits.bodiesMax / mebibyte),
    sentence: 'Bodies that are under way, all together, in MiB; more is refused for the moment (503).',
    ...times(mebibyte, 1, 10_000),
  },
  bundleEntriesMax: {
    name: 'SUTURE_BUNDLE_ENTRIES_MAX',
    fallback: String(interactionLimits.bundleEntriesMax),
    sentence: 'Entries of a batch or transaction (422).',
    ...wholeNumber(1, 10_000),
  },
  pageMax: {
    name: 'SUTURE_PAGE_MAX',
    fallback: String(interactionLimits.pageMax),
    sentence: 'Resources on one page, whatever `_count` asks.',
    ...wholeNumber(1, 10_000),
  },
  inFlightMax: {
    name: 'SUTURE_IN_FLIGHT_MAX',
    fallback: String(httpLimits.inFlightMax),
    sentence:
      'Requests under way at once; one more is refused at once (503, `Retry-After`). Health and metrics are never refused.',
    ...wholeNumber(1, 10_000),
  },
  connectionsMax: {
    name: 'SUTURE_CONNECTIONS_MAX',
    fallback: String(httpLimits.connectionsMax),
    sentence: 'Connections of clients that are open at once; one more is closed.',
    ...wholeNumber(1, 100_000),
  },
  clientRate: {
    name: 'SUTURE_CLIENT_RATE',
    fallback: undefined,
    sentence: `Requests of one client in a minute at one instance; more is refused for the moment (429, \`Retry-After\`); 0: any number; unset: ${httpLimits.clientRequestsPerMinute} with \`SUTURE_AUTH=smart\`, any number without, where clients are not told apart.`,
    ...wholeNumber(0, 100_000_000),
  },
  requestTimeoutMs: {
    name: 'SUTURE_REQUEST_TIMEOUT',
    fallback: String(httpLimits.requestTimeoutMs / 1000),
    sentence: 'Seconds in which a request must have arrived whole (408).',
    ...times(1000, 1, 3600),
  },
  poolSize: {
    name: 'SUTURE_POOL_SIZE',
    fallback: String(databaseLimits.poolSize),
    sentence: 'Connections to PostgreSQL that requests and jobs share; health and metrics have two more.',
    ...wholeNumber(2, 200),
  },
  statementTimeoutMs: {
    name: 'SUTURE_STATEMENT_TIMEOUT',
    fallback: String(databaseLimits.statementTimeoutMs / 1000),
    sentence: 'Seconds after which PostgreSQL ends a statement (503).',
    ...times(1000, 1, 600),
  },
  stopMs: {
    name: 'SUTURE_STOP_TIMEOUT',
    fallback: String(stopLimits.stopMs / 1000),
    sentence:
      'Seconds in which a stop (SIGTERM) is over: what is under way is finished, what is not done by then is cut off and done again after the next start.',
    ...times(1000, 2, 600),
  },
  readyQueueAge: {
    name: 'SUTURE_READY_QUEUE_AGE',
    fallback: undefined,
    sentence:
      'Seconds after which `/health/ready` is 503 because work has waited so long; unset: it tells the age, and stays ready.',
    ...wholeNumber(1, 86_400),
  },
};

/** What does not go together. */
export function limitFaults({ bodyMax, bodiesMax }: Partial<LimitConfig>): readonly string[] {
  if (bodyMax === undefined || bodiesMax === undefined || bodiesMax >= bodyMax) return [];
  return ['SUTURE_BODIES_MAX is less than SUTURE_BODY_MAX: no body of that size could ever be taken'];
}
