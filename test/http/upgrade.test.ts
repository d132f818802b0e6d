/** Requests that ask for another protocol: websockets of subscriptions, and clients that try HTTP/2 first. */
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/app.ts';
import { openSocket } from '../support/websocket.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.close());

/** Writes and reads as many answers as are expected. */
async function exchange(parts: readonly string[], answers: number): Promise<string> {
  const { hostname, port } = new URL(test.app.baseUrl);
  const socket = net.connect(Number(port), hostname);
  let text = '';
  const heard = new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      if ((text.match(/HTTP\/1\.1 \d/g) ?? []).length >= answers) resolve();
    });
  });
  for (const part of parts) socket.write(part);
  await heard;
  socket.destroy();
  return text;
}

const wish = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';

describe('a request that would like HTTP/2', () => {
  it('is answered in HTTP/1.1, body and all, and so is the next on its connection', async () => {
    const body = JSON.stringify({ resourceType: 'Patient', active: true });
    const head = `POST /fhir/Patient HTTP/1.1\r\nHost: a\r\n${wish}Content-Type: application/fhir+json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const next = `GET /fhir/Patient?_summary=count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    const text = await exchange([head, body.slice(0, 10), body.slice(10), next], 2);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['201', '200']);
  });
});

describe('a request for a websocket', () => {
  it('is taken at the path that $get-ws-binding-token names', async () => {
    const socket = await openSocket(`${test.app.baseUrl.replace('http', 'ws')}/websocket`);
    socket.send('bind-with-token nothing');
    await socket.until(() => socket.closeCode !== undefined);
    expect(socket.closeCode).toBe(1008);
  });

  it('anywhere else is a request like any other', async () => {
    await expect(openSocket(`${test.app.baseUrl.replace('http', 'ws')}/metadata`)).rejects.toThrow('200');
    await expect(openSocket(`${test.app.baseUrl.replace('http', 'ws')}/Patient/none`)).rejects.toThrow('404');
  });

  it('does not hold up the end of the server', async () => {
    const one = await startTestApp();
    const socket = await openSocket(`${one.app.baseUrl.replace('http', 'ws')}/websocket`);
    await one.close();
    await socket.until(() => socket.closeCode !== undefined);
    expect(socket.closeCode).toBe(1001);
  });
});
