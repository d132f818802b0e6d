/** A TCP proxy before PostgreSQL that can do to connections what networks do. */
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

/** How bytes go from now on; `silent`: they are swallowed, as by a firewall that forgot the connection; `deaf`: only answers are. */
type Mood = 'open' | 'silent' | 'deaf' | { readonly delayMs: number };

export interface Proxy {
  readonly port: number;
  setMood(mood: Mood): void;
  /** Cuts each connection with this chance. */
  cut(chance: () => boolean): void;
  /**
   * The next connection that sends something sends it, and is cut when the answer comes, before it passes: the client cannot
   * know whether it was done. Ends when that has happened `times` times, or when `signal` says so.
   */
  cutBeforeAnswer(times: number, signal: AbortSignal): Promise<void>;
  /** With this chance a connection ends on the side of the database alone: nobody tells the other side (half open). */
  halve(chance: () => boolean): void;
  /** Cuts the connection that sends the `place`-th piece from now on (from 1), before the piece passes; 0: none any more. */
  cutAtPiece(place: number): void;
  /** Pieces that were sent to the database since `cutAtPiece`. */
  pieces(): number;
  close(): Promise<void>;
}

/** Passes connections on to the Unix socket, or the port of this machine. */
export async function openProxy(target: { readonly path: string } | { readonly port: number }): Promise<Proxy> {
  const pairs = new Set<{ readonly inner: Socket; readonly outer: Socket; isHalf: boolean }>();
  let mood: Mood = 'open';
  let answersToCut = 0;
  let whenCut = (): void => undefined;
  let [pieceToCut, piecesSent] = [0, 0];

  const pass = (from: Socket, to: Socket, isAnswer: boolean) => (bytes: Buffer) => {
    if (mood === 'silent' || (mood === 'deaf' && isAnswer)) return;
    if (!isAnswer && ++piecesSent === pieceToCut) {
      to.destroy();
      from.resetAndDestroy();
      return;
    }
    if (isAnswer && answersToCut > 0) {
      answersToCut--;
      from.destroy();
      to.resetAndDestroy();
      if (answersToCut === 0) whenCut();
      return;
    }
    const send = () => void (to.destroyed || to.write(bytes));
    if (typeof mood === 'object') setTimeout(send, mood.delayMs);
    else send();
  };

  const server = createServer((outer) => {
    const inner = createConnection(target);
    const pair = { inner, outer, isHalf: false };
    pairs.add(pair);
    inner.on('data', pass(inner, outer, true));
    outer.on('data', pass(outer, inner, false));
    for (const [one, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      one.setNoDelay(true);
      const isKept = () => pair.isHalf && one === inner;
      one.on('error', () => void (isKept() || other.destroy()));
      one.on('end', () => void (isKept() || other.end()));
      one.on('close', () => {
        if (isKept()) return;
        other.destroy();
        pairs.delete(pair);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    port: (server.address() as AddressInfo).port,
    setMood: (next) => void (mood = next),
    cut(chance) {
      for (const { inner, outer } of pairs) {
        if (!chance()) continue;
        inner.destroy();
        outer.resetAndDestroy();
      }
    },
    halve(chance) {
      for (const pair of pairs) {
        if (!chance()) continue;
        pair.isHalf = true;
        pair.inner.destroy();
      }
    },
    cutAtPiece: (place) => void ([pieceToCut, piecesSent] = [place, 0]),
    pieces: () => piecesSent,
    async cutBeforeAnswer(times, signal) {
      answersToCut = times;
      await new Promise<void>((resolve) => {
        whenCut = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      answersToCut = 0;
    },
    async close() {
      for (const { inner, outer } of pairs) {
        inner.destroy();
        outer.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
