/** What the tests use of the in-process IMAP server, which comes without types. */
declare module 'hoodiecrow-imap' {
  import type { Server } from 'node:net';
  interface StoredMessage {
    readonly raw: string;
  }
  interface Hoodiecrow {
    readonly server: Server;
    readonly storage: Record<
      string,
      { messages?: StoredMessage[]; folders?: Record<string, { messages?: StoredMessage[] }> }
    >;
    listen(port: number, done: () => void): void;
    close(done: () => void): void;
    appendMessage(mailbox: string, flags: readonly string[], date: boolean, raw: string): void;
    getMailbox(path: string): { messages: StoredMessage[] } | undefined;
  }
  export default function hoodiecrow(options: object): Hoodiecrow;
}
