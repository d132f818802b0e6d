/**
 * Where in a type there is anything to look at beyond the schema: per type, the checks of its items, and by JSON name the
 * members that lead to a check or to an extension. All others (most primitives) are not even touched.
 */
import type { ElementDefinition, TypeDefinition, TypeReference } from '../../fhir/index.ts';
import { hasElementBeside, jsonName } from '../members.ts';
import type { Access, Item } from './items.ts';
import type { BaseRest } from './rest.ts';
import type { Run } from './run.ts';

type ItemCheck = (item: Item, run: Run) => void;

export interface Route {
  readonly isResource: boolean;
  /** Of each item of the type. */
  readonly checks: readonly ItemCheck[];
  /** By JSON name. */
  readonly turns: ReadonlyMap<string, Turn>;
}

export interface Turn {
  /** Without `[x]`. */
  readonly name: string;
  readonly json: string;
  /** Where an element may stand beside it. */
  readonly besideJson: string | undefined;
  /** Reached by the name of what stands beside. */
  readonly isBeside: boolean;
  /** A turn of the primitive itself is there too. */
  readonly isLed: boolean;
  /** JSON pointer below the parent. */
  readonly step: string;
  readonly type: string;
  /** Of this element, beyond those of its type. */
  readonly checks: readonly ItemCheck[];
}

/** The route through a type. */
export type Routes = (type: string) => Route;

export function createRoutes(access: Access, rest: BaseRest): Routes {
  const routes = new Map<string, Route>();
  return (type) => {
    const known = routes.get(type);
    if (known !== undefined) return known;
    const defined = access.definitions.type(type);
    // Names of types come from outside too: only those that exist are kept.
    if (defined === undefined) return nowhere;
    const made = makeRoute(access, rest, defined);
    routes.set(type, made);
    return made;
  };
}

const nowhere: Route = { isResource: false, checks: [], turns: new Map() };

function makeRoute(access: Access, rest: BaseRest, type: TypeDefinition): Route {
  const turns = new Map<string, Turn>();
  for (const element of type.elements.values())
    for (const reference of element.types)
      for (const turn of makeTurns({ access, rest }, type, element, reference))
        turns.set(turn.isBeside ? `_${turn.json}` : turn.json, turn);
  return { isResource: type.kind === 'resource', checks: rest.ofType(type.name), turns };
}

interface Making {
  readonly access: Access;
  readonly rest: BaseRest;
}

function makeTurns(
  { access: { definitions }, rest }: Making,
  type: TypeDefinition,
  element: ElementDefinition,
  reference: TypeReference,
): readonly Turn[] {
  const json = jsonName(element, reference);
  const checks = rest.ofElement(type.name, element.name);
  const isPrimitive = definitions.type(reference.code)?.kind === 'primitive-type';
  const hasBeside = hasElementBeside(definitions, type, element, reference);
  const isLed = checks.length > 0 || rest.ofType(reference.code).length > 0;
  const turn: Turn = {
    name: element.name,
    json,
    besideJson: hasBeside ? `_${json}` : undefined,
    isBeside: false,
    isLed,
    step: `/${json}`,
    type: reference.code,
    checks,
  };
  if (!isPrimitive) return [turn];
  return [...(isLed ? [turn] : []), ...(hasBeside ? [{ ...turn, isBeside: true }] : [])];
}
