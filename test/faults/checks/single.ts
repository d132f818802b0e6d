/** Whether conditional creates made one resource of each identifier, and the same letter one document (I3, I10). */
import { groupBy } from './group.ts';

export interface Create {
  /** The identifier that there should be one of. */
  readonly key: string;
  readonly result: 'done' | 'refused' | 'unknown';
}

/** What is wrong, a line each; `there`: the identifiers that the server holds, as often as it holds them. */
export function checkSingle(creates: readonly Create[], there: readonly string[]): readonly string[] {
  const count = new Map<string, number>();
  for (const key of there) count.set(key, (count.get(key) ?? 0) + 1);
  const asked = groupBy(creates, ({ key }) => key);
  const lost = [...asked]
    .filter(([key, own]) => own.some(({ result }) => result === 'done') && !count.has(key))
    .map(([key]) => `${key} was answered and is lost`);
  const twice = [...count].filter(([, times]) => times > 1).map(([key, times]) => `${key} is there ${times} times`);
  const strangers = [...count.keys()]
    .filter((key) => (asked.get(key) ?? []).every(({ result }) => result === 'refused'))
    .map((key) => `${key} comes from nowhere`);
  return [...lost, ...twice, ...strangers];
}
