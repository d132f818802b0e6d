/** Every wait, size and number of what leaves this server for subscribers, by name. */
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

export const notifyLimits = {
  /** Changes that are matched in one transaction. */
  changesMax: 200,
  /** Real time, from the first byte of the name look-up: a connection; then the whole call. */
  connectTimeoutMs: 3 * second,
  callTimeoutMs: 10 * second,
  /** The longest that a subscription may ask for with the timeout extension. */
  callTimeoutMaxMs: minute,
  /** Of an answer; more is not read. */
  answerBytesMax: 64 * 1024,
  /** An endpoint that takes longer is served apart, so that it delays only its like. */
  slowAfterMs: 2 * second,
  /** Calls at once: to endpoints that answer, and to those that do not or are not known yet. */
  callsMax: 32,
  slowCallsMax: 16,
  /** Deliveries that are read or recorded in one statement. */
  togetherMax: 64,
  /** Subscriptions whose terms are kept in memory as they were read. */
  termsKept: 5_000,
  /** Of a connection to a receiver that waits for the next notification. */
  idleConnectionMs: 4 * second,
  idlePerReceiverMax: 8,
  endpointLengthMax: 2048,
  mailboxLengthMax: 254,
  filtersMax: 20,
  heartbeatMaxS: 86_400,
  /** Told in one notification, whatever backport-max-count allows. */
  eventsMax: 100,
  /** Resources that go with that of one event, by the shape of its topic; what is beyond is left out. */
  contextMax: 50,
  /** Told in one answer to $events and to $status. */
  eventsAskedMax: 500,
  statusesMax: 1_000,
  headersMax: 20,
  headerLengthMax: 4096,
  /** First wait after a failure; doubles up to the largest, with jitter. */
  retryFirstMs: 5 * second,
  retryMaxMs: hour,
  /** Clocks of instances that go a little apart are no clock set back. */
  clocksApartMaxMs: minute,
  /** Bounds of what a Retry-After may ask for. */
  retryAfterMinMs: second,
  retryAfterMaxMs: hour,
  /** Failing without a break for this long puts the Subscription in error. */
  giveUpAfterMs: day,
  /** In which a websocket must show its binding token. */
  tokenValidMs: minute,
  /** How long events and the delivery log are kept, and how long a Subscription stays in error before it is off. */
  keptMs: 30 * day,
  trimEveryMs: day,
  trimRowsMax: 5_000,
  /** When the database fails, before the same delivery is tried again. */
  faultRetryFirstMs: second,
  faultRetryMaxMs: minute,
} as const;

/** Our own trouble (the database is away) never ends a delivery: a parked one would be a silent loss. */
export function faultRetryMs(attempts: number): number {
  return Math.min(notifyLimits.faultRetryMaxMs, notifyLimits.faultRetryFirstMs * 2 ** Math.min(attempts - 1, 10));
}
