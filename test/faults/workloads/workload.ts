/**
 * A workload is what clients do while faults happen, and what must be true of it afterwards. `step` is one small piece of work, done
 * by several workers at once; `verify` asks the servers when all is quiet and answers what is wrong, a line each.
 */
import type { Chance } from '../../../src/demo/random.ts';
import type { Ask, Asked } from '../ask.ts';

export interface Workload {
  readonly name: string;
  prepare(): Promise<void>;
  step(): Promise<void>;
  verify(): Promise<readonly string[]>;
  /** What was done, for the report. */
  count(): string;
}

export interface Ground {
  readonly ask: Ask;
  readonly chance: Chance;
  /** Base URL of one of the servers, by chance. */
  any(): string;
  /** Milliseconds since 1970 of this machine's true clock. */
  now(): number;
}

export interface Entry {
  readonly resource?: Resource;
  readonly request?: { readonly method: string; readonly url?: string };
  readonly response?: { readonly etag?: string; readonly lastModified?: string };
}

export interface Resource {
  readonly resourceType: string;
  readonly id: string;
  readonly meta: { readonly versionId: string; readonly lastUpdated: string };
  readonly [member: string]: unknown;
}

/** All pages; throws when one cannot be had. */
export async function readAll(ask: Ask, url: string): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (let next: string | undefined = url; next !== undefined; ) {
    const page = await expectDone(ask('GET', next));
    const bundle = JSON.parse(page.text) as {
      entry?: Entry[];
      link?: readonly { readonly relation: string; readonly url: string }[];
    };
    entries.push(...(bundle.entry ?? []));
    next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
  }
  return entries;
}

/** The resources of a search, without outcomes. */
export async function searchAll(ask: Ask, url: string): Promise<readonly Resource[]> {
  const entries = await readAll(ask, url);
  return entries.flatMap(({ resource }) =>
    resource === undefined || resource.resourceType === 'OperationOutcome' ? [] : [resource],
  );
}

/** For what happens before and after the faults. */
export async function expectDone(asked: Promise<Asked>): Promise<Asked> {
  const answer = await asked;
  if (answer.result !== 'done')
    throw new Error(`expected an answer below 300, found ${answer.status}: ${answer.text.slice(0, 300)}`);
  return answer;
}
