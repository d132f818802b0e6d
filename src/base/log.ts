/**
 * Logging, behind pino. Fixed field names, never a name, an identifier, a body or a query value:
 * a test posts a patient full of marker strings and looks for them in everything that was logged.
 */
import { writeSync } from 'node:fs';
import { pino } from 'pino';

export interface LogFields {
  readonly component?: string;
  readonly requestId?: string;
  readonly method?: string;
  readonly route?: string;
  readonly status?: number;
  readonly resource?: string;
  readonly version?: number;
  readonly jobId?: string;
  readonly kind?: string;
  readonly reason?: string;
  readonly rule?: string;
  readonly attempt?: number;
  readonly count?: number;
  readonly durationMs?: number;
  readonly errorId?: string;
  readonly stack?: string;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** A log that writes JSON lines to stderr, so that stdout carries only what a caller waits for. */
export function createLog(level: LogLevel, write: (line: string) => void = toStandardError): Log {
  return pino({ level, base: null }, { write });
}

const standardError = 2;
const toStandardError = createLineWriter((bytes) => writeSync(standardError, bytes));

/** A pipe whose reader is behind takes nothing for a moment: so often it is asked again, so long apart. */
const writeLimits = { againMax: 20, againMs: 1 } as const;

/**
 * Writes lines where they may find no room: on a full disk lines are dropped, never the server (as a stream, stderr would end the
 * process, or be closed for good), and the next one that finds room is followed by how many were dropped.
 */
export function createLineWriter(writeSome: (bytes: Uint8Array) => number): (line: string) => void {
  let dropped = 0;
  const writeWhole = (text: string): boolean => {
    try {
      writeAll(Buffer.from(text), writeSome);
      return true;
    } catch {
      return false;
    }
  };
  return (line) => {
    // What was cut off must not run into the next line.
    if (!writeWhole(dropped === 0 ? line : `\n${line}`)) dropped++;
    else if (dropped > 0) {
      const told = { level: 40, component: 'log', count: dropped, msg: 'lines found no room and were dropped' };
      if (writeWhole(`${JSON.stringify(told)}\n`)) dropped = 0;
    }
  };
}

/** Nobody wakes whoever waits on it: it is there to wait on. */
const pause = new Int32Array(new SharedArrayBuffer(4));

function writeAll(bytes: Uint8Array, writeSome: (bytes: Uint8Array) => number): void {
  for (let [rest, again] = [bytes, 0]; rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSome(rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || ++again > writeLimits.againMax) throw error;
      Atomics.wait(pause, 0, 0, writeLimits.againMs);
    }
  }
}
