/**
 * Asks that come together go together: one statement for the deliveries that begin or end at about the same time, instead of one
 * each. Nothing waits for company: what comes while nothing is under way goes at the end of the same turn; what comes
 * while something is, goes next. A failure is everybody's who was in the group.
 */
export interface TogetherInput<I, O> {
  /** Answers in the order asked. */
  readonly run: (items: readonly I[]) => Promise<readonly O[]>;
  readonly itemsMax: number;
}

export function createTogether<I, O>({ run, itemsMax }: TogetherInput<I, O>): (item: I) => Promise<O> {
  let waiting: { item: I; resolve: (answer: O) => void; reject: (error: unknown) => void }[] = [];
  let isUnderWay = false;

  async function go(): Promise<void> {
    const group = waiting.slice(0, itemsMax);
    waiting = waiting.slice(itemsMax);
    try {
      const answers = await run(group.map(({ item }) => item));
      for (const [place, { resolve }] of group.entries()) resolve(answers[place] as O);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
    isUnderWay = false;
    start();
  }

  function start(): void {
    if (isUnderWay || waiting.length === 0) return;
    isUnderWay = true;
    setImmediate(() => void go());
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      start();
    });
}
