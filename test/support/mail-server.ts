/** An SMTP server on this machine that takes mail, and may be told to refuse it or to lose its answer. */
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface MailServer {
  readonly url: string;
  readonly taken: readonly { readonly to: readonly string[]; readonly bytes: Buffer }[];
  /** `lost`: the mail is taken and the connection ends before the answer; `silent`: it is taken, and nothing is said. A number: refused with this status. */
  behave(how: 'take' | 'lost' | 'silent' | number): void;
  /** Ends the connection of a session, as a cable would. */
  cut(session: { readonly id: string }): void;
  close(): Promise<void>;
}

export type MailServerOptions = SMTPServerOptions & { readonly hideDSN?: boolean };

export async function openMailServer(options: MailServerOptions = {}, host = '127.0.0.1'): Promise<MailServer> {
  const taken: { to: readonly string[]; bytes: Buffer }[] = [];
  let behaviour: Parameters<MailServer['behave']>[0] = 'take';
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        if (typeof behaviour === 'number') return done(Object.assign(new Error('no'), { responseCode: behaviour }));
        taken.push({ to: session.envelope.rcptTo.map(({ address }) => address), bytes: Buffer.concat(parts) });
        if (behaviour === 'lost') cut(session);
        else if (behaviour !== 'silent') done();
      });
    },
    ...options,
  });
  function cut({ id }: { readonly id: string }): void {
    const { connections } = server as unknown as { connections: Set<{ id: string; _socket: { destroy(): void } }> };
    for (const connection of connections) if (connection.id === id) connection._socket.destroy();
  }
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => void server.listen(0, host, resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    taken,
    behave: (how) => {
      behaviour = how;
    },
    cut,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
