/** What every part of search needs, made once: the compiled parameters and the readers of values. */
import { createDateReader, createReferenceReader, type Definitions } from '../fhir/index.ts';
import type { Readers } from './collector.ts';
import { createKeyHash } from './keys.ts';
import { createParameters, type Parameters } from './parameters.ts';

export interface SearchContext {
  readonly definitions: Definitions;
  readonly parameters: Parameters;
  readonly readers: Readers;
}

export interface SearchSettings {
  readonly definitions: Definitions;
  /** The zone in which dates without time are read, e.g. `Europe/Paris`. */
  readonly zone: string;
  /** Without trailing slash: references below it are local. */
  readonly baseUrl: string;
}

export function createSearchContext({ definitions, zone, baseUrl }: SearchSettings): SearchContext {
  const hash = createKeyHash();
  return {
    definitions,
    parameters: createParameters(definitions, hash),
    readers: { hash, dates: createDateReader(zone), references: createReferenceReader(baseUrl) },
  };
}
