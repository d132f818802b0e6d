/**
 * Validation and terminology over what is loaded, for a server that lives on while packages are added: both are made
 * again when the shelf changes, and wait where a definition must be read from the database first.
 */
import type { Issue } from '../base/index.ts';
import type { Definitions } from '../fhir/index.ts';
import { createTerminology, type Terminology } from '../terminology/index.ts';
import { createValidator, type Expectations, type Validator } from '../validation/index.ts';
import type { Shelf } from './shelf.ts';

export interface Conformance {
  validate(resource: unknown, expectations?: Expectations): Promise<readonly Issue[]>;
  /** The answer to a question about codes. */
  ask<T>(question: (terminology: Terminology) => T): Promise<T>;
}

export interface ConformanceInput {
  readonly definitions: Definitions;
  readonly shelf: Shelf;
  /** Canonicals of profiles that all resources of their type must conform to. */
  readonly required: readonly string[];
}

interface Made {
  readonly generation: number;
  readonly terminology: Terminology;
  readonly validator: Validator;
}

export async function createConformance(input: ConformanceInput): Promise<Conformance> {
  let made = await make(input);
  const current = async (): Promise<Made> => {
    if (made.generation !== input.shelf.generation()) made = await make(input);
    return made;
  };
  return {
    async validate(resource, expectations) {
      const { validator } = await current();
      return input.shelf.settle(() => validator.validate(resource, expectations));
    },
    async ask(question) {
      const { terminology } = await current();
      return input.shelf.settle(() => question(terminology));
    },
  };
}

async function make({ definitions, shelf, required }: ConformanceInput): Promise<Made> {
  const generation = shelf.generation();
  const terminology = createTerminology(shelf);
  const validator = await createValidator({ definitions, beyond: { library: shelf, terms: terminology, required } });
  return { generation, terminology, validator };
}
