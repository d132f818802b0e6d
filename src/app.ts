/**
 * Where the parts are put together. Building the server is this function; reading the environment, signals and the
 * process belong to main.ts. Time, ids and randomness come from outside, so that a test states them.
 */
import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import {
  type Clock,
  type Config,
  createLifecycle,
  createManualClock,
  createRealClock,
  type Ids,
  type Lifecycle,
  type Log,
} from './base/index.ts';
import { createBreaks } from './breaks/index.ts';
import { type Database, migrate, migrationsFolder, openDatabase, startEmbedded } from './db/index.ts';
import { loadDefinitions } from './fhir/index.ts';
import { createHttp } from './http/index.ts';
import { type Context, createOperations } from './interactions/index.ts';
import { createNotify } from './notify/index.ts';
import { announceHolder, createTimeKeeper, createWorkers, keptClock, settleOrFail } from './queue/index.ts';
import { createSearch } from './search/index.ts';
import { createStore } from './store/index.ts';
import { createValidator } from './validation/index.ts';

export interface AppInput {
  readonly config: Config;
  readonly ids: Ids;
  readonly log: Log;
  readonly random: () => number;
}

export interface App {
  readonly baseUrl: string;
  readonly http: FastifyInstance;
  stop(): Promise<void>;
}
