/** The limit of reads: a bare Fastify route with one prepared select by primary key, sending the stored text as it is. */
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import pg from 'pg';

const poolSize = 12;

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: poolSize });
const server = Fastify({ logger: false });

server.get('/page/:id', async (request, reply) => {
  const { id } = request.params as { id: string };
  const { rows } = await pool.query<{ body: string }>({
    name: 'page',
    text: 'select body from bench.page where id = $1',
    values: [id],
  });
  return reply.header('content-type', 'application/fhir+json; charset=utf-8').send(rows[0]?.body ?? '');
});

process.on('SIGTERM', () => {
  void server
    .close()
    .then(() => pool.end())
    .then(() => process.exit(0));
});
process.on('disconnect', () => process.exit(0));

await server.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ port: (server.server.address() as AddressInfo).port });
