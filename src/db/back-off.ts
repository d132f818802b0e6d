/** Wait before attempt number `attempt` (1, 2, ...): doubling, between half and the whole of the step, so that two who collided part. */
export function backOffMs(attempt: number, firstMs: number, maxMs: number, random: () => number): number {
  const step = Math.min(maxMs, firstMs * 2 ** (attempt - 1));
  return step / 2 + (step / 2) * random();
}
