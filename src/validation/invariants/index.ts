/**
 * Invariants of R4 written by hand, for speed: the generated validators call them. A test holds each against fhirpath.js.
 * Named by the type that states them and their key, since keys such as `inv-1` are used more than once.
 */
import { bundleInvariants } from './bundles.ts';
import { dataTypeInvariants } from './data-types.ts';
import type { Check } from './members.ts';
import { resourceInvariants } from './resources.ts';

const checks = new Map<string, Check>(
  Object.entries({ ...dataTypeInvariants, ...bundleInvariants, ...resourceInvariants }),
);

/** The check of a constraint, or undefined where there is none by hand. */
export function findInvariant(source: string, key: string): Check | undefined {
  return checks.get(`${source} ${key}`) ?? checks.get(key);
}

export const invariantNames: readonly string[] = [...checks.keys()];
