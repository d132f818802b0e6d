/**
 * Logging, behind pino. Fixed field names, never a name, an identifier, a body or a query value:
 * a test posts a patient full of marker strings and looks for them in everything that was logged.
 */
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
export function createLog(level: LogLevel, write: (line: string) => void = (line) => process.stderr.write(line)): Log {
  return pino({ level, base: null }, { write });
}
