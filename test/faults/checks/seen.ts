/**
 * Whether every reader saw each change (I11 of ../shared/reference/security-reliability.md 4.5): the search index holds each resource
 * as it is now and no longer as it was, and the history of the type tells each version once.
 */
import type { Version } from './register.ts';
import { deleted } from './register.ts';

/** Of one resource: its versions, oldest first, and under which of its values a search finds it in the end. */
export interface Seen {
  readonly key: string;
  readonly versions: readonly Version[];
  readonly foundBy: ReadonlySet<string>;
}

/** What is wrong, a line each. `told`: the history of the type, `key/version` as often as it came. */
export function checkSeen(seen: readonly Seen[], told: readonly string[]): readonly string[] {
  const found = seen.flatMap(({ key, versions, foundBy }) => {
    const current = versions.at(-1)?.value;
    const own = new Set(versions.map(({ value }) => value));
    return [
      ...(current === undefined || current === deleted || foundBy.has(current)
        ? []
        : [`${key} is not found by what it holds now`]),
      ...[...foundBy]
        .filter((value) => value !== current)
        .map((value) =>
          own.has(value)
            ? `${key} is still found by ${value}, which it held before`
            : `${key} is found by ${value}, which it never held`,
        ),
    ];
  });
  const times = new Map<string, number>();
  for (const one of told) times.set(one, (times.get(one) ?? 0) + 1);
  const expected = new Set(seen.flatMap(({ key, versions }) => versions.map(({ version }) => `${key}/${version}`)));
  return [
    ...found,
    ...[...expected].filter((one) => !times.has(one)).map((one) => `${one} is not in the history of its type`),
    ...[...times]
      .filter(([one, count]) => count > 1 || !expected.has(one))
      .map(([one, count]) => `${one} is ${count} times in the history of its type`),
  ];
}
