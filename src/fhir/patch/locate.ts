/**
 * Where in a resource an expression points. The nodes of the FHIRPath library know the way back to their resource;
 * this file is the only one beside `fhirpath.ts` and `fhirpath-runtime.ts` that knows those nodes.
 */
import { Problem } from '../../base/index.ts';
import type { Definitions } from '../definitions.ts';
import { compileExpression } from '../fhirpath.ts';
import { type Moment, momentVariable } from '../fhirpath-runtime.ts';
import type { Resource } from '../resource.ts';

/** One step down: the name of an element (`value`, never `valueQuantity`), and its place when it repeats. */
export interface Step {
  readonly name: string;
  readonly index: number;
}

/** From the resource down; empty for the resource itself. */
export type Location = readonly Step[];

export interface LocateSetting {
  readonly definitions: Definitions;
  /** Paths may compare dates. */
  readonly moment: Moment;
}

/** The locations of what the path yields, in its order; a text says why there are none to be had. */
export function locate(setting: LocateSetting, resource: Resource, path: string): Location[] | string {
  const { definitions, moment } = setting;
  const compiled = compileExpression(path, { definitions, context: resource.resourceType, variables: {} });
  if (compiled.kind === 'faults') return compiled.issues.map((issue) => issue.text).join('; ');
  let nodes: unknown[];
  try {
    nodes = compiled.expression.run(resource, { [momentVariable]: moment });
  } catch (error) {
    // What the library throws may quote the resource; our own problems do not.
    return error instanceof Problem ? error.message : 'it cannot be evaluated on this resource';
  }
  const locations = nodes.map(readLocation);
  const found = locations.filter((location) => location !== undefined);
  return found.length === locations.length ? found : 'it yields values that are no elements of the resource';
}

/** A node of the library. */
interface Node {
  readonly parentResNode: Node | null;
  readonly propName: string | null;
  readonly index: number | null;
}

function readLocation(item: unknown): Location | undefined {
  if (typeof item !== 'object' || item === null || !('parentResNode' in item)) return undefined;
  const steps: Step[] = [];
  let node = item as Node;
  for (; node.parentResNode !== null; node = node.parentResNode) {
    if (node.propName === null) return undefined;
    steps.push({ name: node.propName, index: node.index ?? 0 });
  }
  return node.propName === null ? steps.reverse() : undefined;
}
