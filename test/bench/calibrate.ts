/**
 * How fast the machine itself is just now. It is shared and changes its pace, so rates are only worth something beside
 * these, and better as a ratio to a limit that was measured in the same minute (raw-*.ts).
 */
import { once } from 'node:events';
import { fdatasyncSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';

const shareMs = 300;

/** One line: what one core, the disk and the loopback give now. */
export async function calibrate(folder: string): Promise<string> {
  const parseUs = 1e6 / perSecond(parseOnce());
  const syncs = await syncsPerSecond(folder);
  const pings = await pingsPerSecond();
  const load = loadavg().map((one) => one.toFixed(1));
  return `JSON.parse of 2.5 kB ${parseUs.toFixed(1)} us, fdatasync ${syncs.toFixed(0)}/s, loopback ping ${pings.toFixed(0)}/s, load ${load.join(' ')}`;
}

export function machineLine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} x ${first?.model.trim() ?? 'unknown processor'}, ${memory} GB, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

function parseOnce(): () => unknown {
  const line = { line: ['12 rue du Moulin'], city: 'Nantua', postalCode: '01130', period: { start: '2019-04-01' } };
  const text = JSON.stringify({ resourceType: 'Patient', address: Array.from({ length: 24 }, () => line) });
  return () => JSON.parse(text) as unknown;
}

function perSecond(work: () => unknown): number {
  const started = performance.now();
  let count = 0;
  while (performance.now() - started < shareMs) {
    for (let turn = 0; turn < 50; turn++) work();
    count += 50;
  }
  return (count * 1000) / (performance.now() - started);
}

async function syncsPerSecond(folder: string): Promise<number> {
  const file = await open(join(folder, 'calibration'), 'w');
  const page = Buffer.alloc(8192, 1);
  try {
    const started = performance.now();
    let count = 0;
    for (; performance.now() - started < shareMs; count++) {
      await file.write(page, 0, page.length, 0);
      fdatasyncSync(file.fd);
    }
    return (count * 1000) / (performance.now() - started);
  } finally {
    await file.close();
  }
}

async function pingsPerSecond(): Promise<number> {
  const server = createServer((socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    const started = performance.now();
    let count = 0;
    for (; performance.now() - started < shareMs; count++) {
      socket.write('ping');
      await once(socket, 'data');
    }
    return (count * 1000) / (performance.now() - started);
  } finally {
    socket.destroy();
    server.close();
  }
}
