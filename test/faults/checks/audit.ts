/**
 * Whether each version that came to be is in the audit log exactly once, and nothing in it says of a version that it came to be which
 * is not there (I9 of ../shared/reference/security-reliability.md 4.5).
 */

/** What is wrong, a line each; both: `Type/id/_history/version`. */
export function checkAudit(versions: readonly string[], noted: readonly string[]): readonly string[] {
  const times = new Map<string, number>();
  for (const one of noted) times.set(one, (times.get(one) ?? 0) + 1);
  const there = new Set(versions);
  return [
    ...versions.filter((one) => !times.has(one)).map((one) => `${one} is in no audit record`),
    ...[...times].filter(([, count]) => count > 1).map(([one, count]) => `${one} is in ${count} audit records`),
    ...[...times.keys()].filter((one) => !there.has(one)).map((one) => `${one} was noted and is not there`),
  ];
}
