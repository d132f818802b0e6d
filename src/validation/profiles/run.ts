/** One judgment of one resource against profiles: what was found so far, and what must be known to go on. */
import type { InvariantScope } from '../../fhir/index.ts';
import type { Item } from './items.ts';

export interface ProfileFault {
  /** JSON pointer from the outermost resource. */
  readonly pointer: string;
  readonly severity: 'error' | 'warning' | 'information';
  /** https://hl7.org/fhir/R4/valueset-issue-type.html */
  readonly code: string;
  readonly text: string;
  readonly french: string;
  /** Canonical of the profile that says so; base R4 when there is none. */
  readonly profile?: string;
}

export interface Run {
  readonly faults: ProfileFault[];
  /** The outermost resource: a Bundle, or what contains the contained ones. */
  readonly root: Item;
  readonly scope: (item: Item) => InvariantScope;
  /** The resource that a literal reference means, where it stands in the same resource or Bundle. */
  readonly resolve: (reference: string, from: Item) => Item | undefined;
  readonly marksMustSupport: boolean;
  /** `profile pointer` of what is being judged: a circle of references ends here. */
  readonly open: Set<string>;
  /** Told once for each definition that is not there. */
  readonly told: Set<string>;
  /** Types of contained resources and of entries by what names them, for each container that was asked. */
  readonly named: Map<object, ReadonlyMap<unknown, string | undefined>>;
}

/** More are not looked for. */
export const profileFaultsMax = 60;

/** Whether the work finds no error; what it finds is not kept. */
export function isClean(run: Run, work: (run: Run) => void): boolean {
  const inner: Run = { ...run, faults: [], told: new Set(), marksMustSupport: false };
  work(inner);
  return !inner.faults.some(({ severity }) => severity === 'error');
}
