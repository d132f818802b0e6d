/** The limit of reads: the very texts that an operation answers, kept in a table of their own and served by bare-server.ts. */
import pg from 'pg';
import { driveHttp, type Figures, type HttpRequest, type Load } from './measure.ts';
import { startBareServer } from './processes.ts';
import { sendOrFail } from './client.ts';

const pagesMax = 200;

export interface RawPages {
  /** Keeps what these requests answer; the next `drive` serves it. */
  keep(origin: string, next: () => HttpRequest): Promise<void>;
  /** Of the process that serves them. */
  readonly pid: number;
  drive(load: Load): Promise<Figures>;
  stop(): Promise<void>;
}

export async function openRawPages(databaseUrl: string): Promise<RawPages> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  // Uncompressed, in the row as far as it goes: nothing is cheaper to read.
  await client.query(`create schema if not exists bench;
    create table bench.page (id integer primary key, body text not null) with (toast_tuple_target = 8160);
    alter table bench.page alter column body set storage external`);
  const server = await startBareServer(databaseUrl);
  let kept = 0;
  let turn = 0;
  return {
    pid: server.pid,
    async keep(origin, next) {
      await client.query('truncate bench.page');
      const requests = new Map<string, HttpRequest>();
      for (let tries = 0; tries < pagesMax; tries++) {
        const request = next();
        requests.set(request.path, request);
      }
      kept = 0;
      for (const request of requests.values()) {
        const body = await sendOrFail(origin, request);
        await client.query('insert into bench.page values ($1, $2)', [kept++, body]);
      }
      await client.query('vacuum analyze bench.page');
    },
    drive: (load) => driveHttp(server.origin, () => ({ method: 'GET', path: `/page/${turn++ % kept}` }), load),
    async stop() {
      await server.stop();
      await client.end();
    },
  };
}
