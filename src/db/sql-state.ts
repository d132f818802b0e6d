/**
 * SQLSTATE -> Problem, the one table (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 *
 * A state is looked up whole, then by its class (the first two characters). What is not in the table is our mistake: a
 * `fault`. PostgreSQL's own messages quote values, so they stay in `cause` and never become text.
 */
import pg from 'pg';
import { databaseLimits, Problem, type ProblemCategory } from '../base/index.ts';

interface Meaning {
  readonly category: ProblemCategory;
  readonly text: string;
}

const away: Meaning = { category: 'unavailable', text: 'the database is not available just now' };
const unreadable: Meaning = { category: 'unprocessable', text: 'the database cannot store a value of this content' };
const contended: Meaning = { category: 'unavailable', text: 'others are changing the same resources: try again' };
const slow: Meaning = { category: 'unavailable', text: 'the database did not finish in the time it is given' };
const full: Meaning = { category: 'unavailable', text: 'the database has no room left' };
const refused: Meaning = { category: 'unavailable', text: 'the database does not let this server in' };
const collided: Meaning = { category: 'conflict', text: 'something with the same identity exists already' };
const fault: Meaning = { category: 'fault', text: 'the database refused a statement' };

const meanings: Readonly<Record<string, Meaning>> = {
  '08': away, // connection exceptions
  '22': unreadable, // data exceptions: should have been refused before they came here
  '23505': collided, // unique violation
  '23P01': collided, // exclusion violation
  '25006': away, // read-only transaction: a standby, or a primary that has just become one
  '25P03': away, // ended while idle in a transaction
  '25P04': slow, // transaction timeout
  '28': refused, // wrong user or password
  '3D000': refused, // no such database
  '40001': contended, // serialization failure
  '40P01': contended, // deadlock
  '53': { ...away, text: 'the database is at its limits' },
  '53100': full, // disk
  '53200': full, // memory
  '54': unreadable, // row, string or nesting too large
  '55P03': contended, // lock timeout
  '57014': slow, // statement timeout, or cancelled
  '57P01': away, // being shut down
  '57P02': away, // restarting after a crash
  '57P03': away, // starting
  '57P05': away, // idle session ended
  '58': full, // input or output error of the server's machine
};

/** Ran into another transaction; everything is undone, and the same again may succeed. */
const repeatable: ReadonlySet<string> = new Set(['40001', '40P01']);

/** After these the session is gone. */
const ended: ReadonlySet<string> = new Set(['25P03', '25P04', '57P01', '57P02', '57P03', '57P05']);

export interface DatabaseFault {
  readonly sqlState: string;
  readonly constraint: string | undefined;
}

/** What PostgreSQL said behind a Problem; undefined when it said nothing (the connection failed, or it is no matter of the database). */
export function databaseFaultOf(error: unknown): DatabaseFault | undefined {
  const origin = error instanceof Problem ? error.cause : error;
  if (origin instanceof Problem) return databaseFaultOf(origin);
  if (!(origin instanceof pg.DatabaseError) || origin.code === undefined) return undefined;
  return { sqlState: origin.code, constraint: origin.constraint };
}

export function isRepeatable(error: unknown): boolean {
  const state = databaseFaultOf(error)?.sqlState;
  return state !== undefined && repeatable.has(state);
}

/** The driver failed without an answer of PostgreSQL, or PostgreSQL's answer was that it ends the session. */
export function isConnectionLost(error: unknown): boolean {
  const state = databaseFaultOf(error)?.sqlState;
  if (state !== undefined) return ended.has(state) || state.startsWith('08');
  return !isOurMistake(error);
}

/** PostgreSQL refused, and lives: what was sent has had no effect, for certain. */
export function isUndone(error: unknown): boolean {
  return databaseFaultOf(error) !== undefined && !isConnectionLost(error);
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { category, text } = meaningOf(error);
  return new Problem(category, text, {
    cause: error,
    ...(category === 'unavailable' ? { retryAfterMs: databaseLimits.retryAfterMs } : {}),
  });
}

function meaningOf(error: unknown): Meaning {
  const state = databaseFaultOf(error)?.sqlState;
  if (state !== undefined) return meanings[state] ?? meanings[state.slice(0, 2)] ?? fault;
  return isOurMistake(error) ? fault : away;
}

/** Thrown by the driver before it sends anything, e.g. a value that it cannot write. */
function isOurMistake(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError;
}
