/** Finding the parameter that a name means, for one type or for several at once. */
import type { SearchContext } from './context.ts';
import { building, unsupported } from './fault.ts';
import type { SearchParameter } from './parameters.ts';

/** The parameter of all these types, with the paths of each. Throws `unsupported-parameter` when one of them lacks it. */
export function seekParameter(
  context: SearchContext,
  types: readonly string[],
  { name, code }: { readonly name: string; readonly code: string },
): SearchParameter {
  const found = types.map((type) => {
    const index = context.parameters(type);
    const parameter = index.parameters.get(code);
    if (index.building.has(code)) throw building(name);
    if (parameter !== undefined) return parameter;
    throw unsupported(name, index.unsupported.get(code) ?? `${type} has no such search parameter`);
  });
  return mergeParameters(found);
}

/** The types among these that have the parameter; chains skip the others. */
export function typesWith(context: SearchContext, types: readonly string[], code: string): readonly string[] {
  return types.filter((type) => context.parameters(type).parameters.has(code));
}

function mergeParameters(parameters: readonly SearchParameter[]): SearchParameter {
  const [first, ...others] = parameters;
  if (first === undefined) throw new Error('a search has at least one type');
  if (others.length === 0 || first.column !== undefined) return first;
  const bases = parameters.flatMap((parameter) => parameter.bases ?? []);
  const paths = parameters.flatMap((parameter) => parameter.paths);
  return { ...first, paths, ...(bases.length === 0 ? {} : { bases }) };
}

/** The types that a reference may lead to, as far as its definition says. */
export function targetTypes(context: SearchContext, parameter: SearchParameter): readonly string[] {
  const targets = new Set(parameter.paths.flatMap((path) => path.targets));
  return targets.size === 0 || targets.has('Resource') ? [...context.definitions.resourceTypes] : [...targets];
}
