/**
 * The MLLP listener: connections of hospitals' systems, message by message in the order in which they came, each answered
 * after its commit and before the next is looked at. On loopback in the clear; elsewhere only by TLS with a certificate of the
 * other side (readConfig sees to it). Connections, message sizes and times are bounded; a connection that breaks off in the
 * middle of a message leaves nothing behind.
 */
import { mllpLimits } from '../base/index.ts';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { answerMessage, type MllpWork } from './mllp-message.ts';
import { createFrameReader, framed } from './mllp-frames.ts';

export interface MllpLimits {
  /** The largest letter that is foreseen, 5 MB at level 1, comes as 9 MB. */
  readonly messageBytesMax: number;
  readonly connectionsMax: number;
  readonly connectionsOfOneMax: number;
  /** Between two bytes of one message. */
  readonly idleMs: number;
  /** From the first byte of a message to its last. */
  readonly messageMs: number;
  /** For answers under way when the server stops. */
  readonly stopMs: number;
}

export interface MllpInput extends MllpWork {
  readonly host: string;
  readonly port: number;
  /** PEM; undefined: in the clear. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer } | undefined;
  readonly limits?: Partial<MllpLimits>;
}

export interface MllpListener {
  readonly port: number;
  /** Takes no more messages, answers those that are being taken, then ends. */
  stop(): Promise<void>;
}

interface Connection {
  readonly address: string;
  /** Resolves when no message is being taken. */
  idle(): Promise<void>;
  close(): void;
}

export async function listenMllp(input: MllpInput): Promise<MllpListener> {
  const limits = { ...mllpLimits, ...input.limits };
  const connections = new Set<Connection>();
  const accept = (socket: Socket): void => {
    const address = socket.remoteAddress ?? '';
    const ofOne = [...connections].filter((one) => one.address === address).length;
    if (connections.size >= limits.connectionsMax || ofOne >= limits.connectionsOfOneMax) {
      input.log.warn({ component: 'mllp', count: connections.size }, 'too many connections');
      socket.destroy();
      return;
    }
    const connection = serve(socket, input, limits);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  };
  const server = openServer(input, accept);
  server.maxConnections = limits.connectionsMax;
  await listening(server, input);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : input.port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      const deadline = new Promise<void>((resolve) => void setTimeout(resolve, limits.stopMs).unref());
      await Promise.race([Promise.all([...connections].map((one) => one.idle())), deadline]);
      for (const connection of connections) connection.close();
      await closed;
    },
  };
}

function openServer({ tls, log }: MllpInput, accept: (socket: Socket) => void): Server {
  if (tls === undefined) return createServer({ keepAlive: true }, accept);
  const demands = {
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    handshakeTimeout: 10_000,
  } as const;
  const server = createTlsServer({ ...tls, ...demands }, accept);
  // A handshake that fails is the other side's affair; without a listener it would end the process.
  server.on('tlsClientError', () => log.warn({ component: 'mllp', reason: 'tls' }, 'a connection was refused'));
  return server;
}

function listening(server: Server, { host, port }: MllpInput): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function serve(socket: Socket, input: MllpInput, limits: MllpLimits): Connection {
  const reader = createFrameReader(limits.messageBytesMax);
  const names = certificateNames(socket);
  let work = Promise.resolve();
  let isClosing = false;
  let deadline: NodeJS.Timeout | undefined;

  async function answer(bytes: Buffer): Promise<void> {
    if (isClosing) return;
    const text = await answerMessage(input, bytes, names);
    if (text !== undefined && socket.writable) await new Promise((resolve) => socket.write(framed(text), resolve));
  }

  /** A message that has begun must go on and end; between messages a connection may wait. */
  function watch(hadMessage: boolean): void {
    socket.setTimeout(reader.isInside() ? limits.idleMs : 0);
    if (hadMessage || !reader.isInside()) {
      clearTimeout(deadline);
      deadline = undefined;
    }
    if (reader.isInside()) deadline ??= setTimeout(() => socket.destroy(), limits.messageMs).unref();
  }

  socket.on('data', (chunk: Buffer) => {
    const events = reader.push(chunk);
    const noise = events.filter(({ kind }) => kind === 'noise').length;
    if (noise > 0) input.log.warn({ component: 'mllp', reason: 'noise', count: noise }, 'bytes outside of a message');
    const messages = events.flatMap((event) => (event.kind === 'message' ? [event.bytes] : []));
    watch(messages.length > 0);
    if (events.some(({ kind }) => kind === 'too-long')) {
      input.log.warn({ component: 'mllp', reason: 'too-long' }, 'a message is longer than allowed');
      isClosing = true;
      void work.then(() => socket.destroy());
    }
    if (messages.length === 0) return;
    // Nothing more is read before these are answered: memory is that of one chunk and its messages.
    socket.pause();
    work = messages.reduce((before, bytes) => before.then(() => answer(bytes)), work).then(() => void socket.resume());
  });
  socket.on('timeout', () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(deadline));
  return {
    address: socket.remoteAddress ?? '',
    idle: () => {
      isClosing = true;
      socket.pause();
      return work;
    },
    close: () => socket.destroySoon(),
  };
}

/** Subject CN and DNS names of the other side's certificate; none in the clear. */
function certificateNames(socket: Socket): readonly string[] {
  if (!('getPeerCertificate' in socket)) return [];
  const { subject, subjectaltname = '' } = (socket as TLSSocket).getPeerCertificate();
  const alternatives = subjectaltname.split(', ').flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4)] : []));
  const common = (subject as { CN?: string | string[] } | undefined)?.CN ?? [];
  return [...[common].flat(), ...alternatives];
}
