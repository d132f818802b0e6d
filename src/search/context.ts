/** What every part of search needs, made once: the compiled parameters and the readers of values. */
import { createDateReader, createReferenceReader, createUnitReader, type Definitions } from '../fhir/index.ts';
import type { Readers } from './collector.ts';
import { createKeyHash } from './keys.ts';
import { createParameters, type Parameters } from './parameters.ts';
import { definedTerminology, type Terminology } from './terminology.ts';

export interface SearchContext {
  readonly definitions: Definitions;
  readonly parameters: Parameters;
  readonly readers: Readers;
  readonly terminology: Terminology;
}

export interface SearchSettings {
  readonly definitions: Definitions;
  /** The zone in which dates without time are read, e.g. `Europe/Paris`. */
  readonly zone: string;
  /** Without trailing slash: references below it are local. */
  readonly baseUrl: string;
  /** Without it, the value sets of required bindings are known, and no hierarchy. */
  readonly terminology?: Terminology;
}

export function createSearchContext({ definitions, zone, baseUrl, terminology }: SearchSettings): SearchContext {
  const hash = createKeyHash();
  return {
    definitions,
    parameters: createParameters(definitions, hash),
    readers: {
      hash,
      dates: createDateReader(zone),
      references: createReferenceReader(baseUrl),
      units: createUnitReader(),
    },
    terminology: terminology ?? definedTerminology(definitions),
  };
}
