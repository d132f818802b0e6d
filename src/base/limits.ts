/**
 * Every limit that a request, a letter or a rule from outside can meet, by name, with the number that holds where no setting says
 * otherwise (limit-settings.ts). Beyond one of them something is refused and said to be, never cut short silently. The table in the
 * README is held against this file by a test (test/http/limits.test.ts), which also reaches each limit.
 *
 * What limits the server's own work (batches, retries, subscribers that are called) stands where that work is done.
 */
const second = 1000;
const kiB = 1024;
const miB = 1024 * kiB;

/** Of one request, one connection, one client, and of all that is under way at once. */
export const httpLimits = {
  bodyMax: 50 * miB,
  /** Bytes of all bodies that are under way: the memory that requests can take before anybody has judged them. */
  bodiesMax: 256 * miB,
  /** Of POST [type]/_search; of the token endpoint. */
  formBytesMax: 256 * kiB,
  tokenFormBytesMax: 64 * kiB,
  headerBytesMax: 16 * kiB,
  pathPartMax: 256,
  connectionsMax: 1000,
  headersTimeoutMs: 10 * second,
  requestTimeoutMs: 30 * second,
  keepAliveTimeoutMs: 65 * second,
  /** How often connections are looked at for those times. */
  timesCheckedMs: second,
  /** Requests under way; one more is refused before it is read. Health and metrics are never refused. */
  inFlightMax: 64,
  /** What a client is told to wait when there are too many. */
  busyRetryAfterMs: second,
  /** Of one client, where clients are told apart. It may come at once with what it has not used for so long. */
  clientRequestsPerMinute: 12_000,
  clientBurstMs: 10 * second,
  /** Of one client from one address, at the token endpoint. */
  tokenRequestsPerMinute: 60,
  tokenBurstMs: 60 * second,
  /** Clients whose pace is remembered. */
  clientsKept: 10_000,
} as const;

/** Of a body of JSON. Values: members and elements; few bytes may hold so many that looking at them blocks everybody. */
export const jsonLimits = { depthMax: 100, valuesMax: 500_000 } as const;

/** Of a body of FHIR XML. Depth: saxes needs seconds for 20 000 nested elements. Elements: as many as `bodyMax` can have in good faith. */
export const fhirXmlLimits = {
  bytesMax: 50 * miB,
  depthMax: 100,
  elementsMax: 2_000_000,
  /** Of one element, namespace declarations included. */
  attributesMax: 50,
} as const;

export const interactionLimits = {
  bundleEntriesMax: 500,
  pageDefault: 20,
  pageMax: 1000,
  /** Resources that _include and _revinclude may add to one page, and rounds of :iterate. */
  includedMax: 1000,
  iterationsMax: 3,
  /** Resources that one conditional delete takes where several are allowed. */
  deletesMax: 1000,
} as const;

export const searchLimits = {
  parametersMax: 30,
  /** Values joined by commas in one parameter. */
  orValuesMax: 200,
  /** Index keys that one criterion may become: an id without type stands for one key per type it may have. */
  keysMax: 4000,
  valueCharactersMax: 4000,
  /** References followed in one parameter, forward (`subject.organization.name`) or backward (`_has`). */
  chainDepthMax: 3,
  /** Brackets within brackets, and conditions, of one `_filter`. */
  filterDepthMax: 10,
  filterTestsMax: 50,
  sortsMax: 4,
  includesMax: 10,
  elementsMax: 100,
  typesMax: 50,
  /** Folded text is indexed up to here; a longer search text is refused, and `:contains` does not see beyond. */
  stringCharactersMax: 200,
  /** Of `_text` and `_content`. */
  wordsMax: 20,
  cursorCharactersMax: 2000,
} as const;

/** The result has at most `growthFactorMax` times the characters of the original and `growthMax` more. */
export const jsonPatchLimits = {
  operationsMax: 100,
  pointerMax: 2000,
  growthFactorMax: 2,
  growthMax: 64 * kiB,
} as const;

export const fhirPathPatchLimits = { operationsMax: 100 } as const;

/** Of an expression as it is written. */
export const expressionLimits = { charactersMax: 4000, nodesMax: 1000, depthMax: 60 } as const;

/**
 * What one evaluation may cost: items looked at, characters of a text that it makes. Counted, not timed, so that the same
 * record always gives the same answer. A rule on a record of thousands of resources needs some thousand steps.
 */
export const evaluationLimits = { stepsMax: 300_000, textMax: 262_144 } as const;

/** Of rules that somebody else wrote, in their thread. */
export const isolationLimits = {
  /** One rule on one focus. */
  evaluationMs: 2000,
  /** Whatever else the thread does between two evaluations: reading a message, compiling rules. */
  elsewhereMs: 20_000,
  heapMb: 256,
} as const;

/** A rule that reaches these again and again is left alone for a while. */
export const overrunLimits = { inSequenceMax: 3, suspendedMs: 3_600_000 } as const;

/** Every wait and every size towards PostgreSQL. */
export const databaseLimits = {
  /** Connections that requests and jobs share; and those that are kept for health and metrics. */
  poolSize: 12,
  watchPoolSize: 2,
  /** A free connection of the pool, or a new one. */
  acquireTimeoutMs: 5 * second,
  /** PostgreSQL stops a statement that runs longer. */
  statementTimeoutMs: 10 * second,
  /** PostgreSQL stops waiting for a lock. */
  lockTimeoutMs: 2 * second,
  /** PostgreSQL ends a session that keeps a transaction open without using it. */
  idleInTransactionTimeoutMs: 10 * second,
  /** Beyond the limit of a statement: we give up on a server that no longer answers at all (frozen, cut off). */
  answerGraceMs: 5 * second,
  /** The same of a look at health and metrics. */
  watchTimeoutMs: 2 * second,
  /** Unused connections of the pool are closed. */
  idleConnectionMs: 60 * second,
  /** Runs of one transaction after a serialization failure or a deadlock, beyond the first. */
  retriesMax: 5,
  /** First wait between two runs; doubles, with jitter, up to the largest. */
  retryWaitMs: 5,
  retryWaitMaxMs: 200,
  /** First wait before a lost listener connects again; doubles, with jitter, up to the largest. */
  reconnectWaitMs: 100,
  reconnectWaitMaxMs: 10 * second,
  /** A text is prepared when it comes this often; so many texts at most; so many are counted before counting starts anew. */
  preparedAfter: 3,
  preparedTextsMax: 200,
  textsCountedMax: 1000,
  /** What a client is told to wait after a 503. */
  retryAfterMs: second,
} as const;

/** Of XML in a letter. Sized on the official French samples: the largest has 3 MB, depth 20, one base64 text of 2.9 MB. */
export const xmlLimits = {
  bytesMax: 16 * miB,
  depthMax: 100,
  elementsMax: 200_000,
  /** Of one element, namespace declarations included. */
  attributesMax: 100,
  nameLengthMax: 128,
  /** Of one text node or attribute value, in UTF-16 units. */
  textLengthMax: 15 * miB,
} as const;

export const zipLimits = {
  bytesMax: 40 * miB,
  entriesMax: 100,
  /** Of all entries, unpacked. */
  unpackedMax: 50 * miB,
  /** Unpacked against packed size of one entry. */
  ratioMax: 100,
} as const;

/** MSSanté carries 25 MB, which base64 makes a third more; headers of the largest sample have 2 kB. */
export const mailLimits = {
  bytesMax: 36 * miB,
  /** Of the mail's own header. */
  headerBytesMax: 64 * kiB,
  headersMax: 300,
  partsMax: 200,
  depthMax: 10,
} as const;

/** The largest official message has 820 kB and 30 segments. */
export const hl7Limits = { bytesMax: 40 * miB, segmentsMax: 2000, fieldsMax: 300 } as const;

export const mllpLimits = {
  /** The largest letter that is foreseen, 5 MB at level 1, comes as 9 MB. */
  messageBytesMax: 10 * miB,
  connectionsMax: 64,
  connectionsOfOneMax: 16,
  /** Between two bytes of one message. */
  idleMs: 30 * second,
  /** From the first byte of a message to its last. */
  messageMs: 120 * second,
  /** For answers under way when the server stops. */
  stopMs: 3 * second,
} as const;

/** A stop waits no longer: the platform kills what takes more (docker stop: 10 s). */
export const stopLimits = {
  /** For everything. */
  stopMs: 9 * second,
  /** In which load balancers learn that others must be asked, while requests are still answered. */
  leaveMs: second,
  /** Of that time, for requests under way; connections of those that are not done then are cut. */
  requestsShare: 0.5,
  /** Each part has at least so long, however long those before it took. */
  partMs: 500,
} as const;

/** All of them, by the names that the README has. */
export const limits = {
  http: httpLimits,
  json: jsonLimits,
  fhirXml: fhirXmlLimits,
  interaction: interactionLimits,
  search: searchLimits,
  jsonPatch: jsonPatchLimits,
  fhirPathPatch: fhirPathPatchLimits,
  expression: expressionLimits,
  evaluation: evaluationLimits,
  isolation: isolationLimits,
  overrun: overrunLimits,
  database: databaseLimits,
  xml: xmlLimits,
  zip: zipLimits,
  mail: mailLimits,
  hl7: hl7Limits,
  mllp: mllpLimits,
  stop: stopLimits,
} as const;
