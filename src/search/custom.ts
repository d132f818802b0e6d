/**
 * A SearchParameter resource (https://hl7.org/fhir/R4/searchparameter.html) -> a parameter of this server. What could not be sought
 * afterwards is refused when it is stored, with the reason.
 */
import { type Issue, Problem } from '../base/index.ts';
import type { Resource, SearchParameterDefinition, SearchParameterType } from '../fhir/index.ts';
import type { SearchContext } from './context.ts';
import type { CustomParameter } from './parameters.ts';

/** The members that are read; validation has seen that they have these types. */
interface SearchParameterResource extends Resource {
  readonly url: string;
  readonly status: string;
  readonly code: string;
  readonly type: SearchParameterType;
  readonly base: readonly string[];
  readonly expression?: string;
  readonly target?: readonly string[];
  readonly component?: readonly { readonly definition: string; readonly expression: string }[];
}

export type CustomDefinition = Pick<CustomParameter, 'definition' | 'base'>;

/** `undefined`: it has no effect here, because it is not active or because the server has it of itself. Throws `unprocessable`. */
export function readCustomParameter(context: SearchContext, resource: Resource): CustomDefinition | undefined {
  const { url, status, code, type, base, expression, target, component } = resource as SearchParameterResource;
  if (status !== 'active' || isStandard(context, base, { code, url })) return undefined;
  const definition: SearchParameterDefinition = {
    ...{ code, url, type, expression, target: target ?? [], components: component ?? [] },
  };
  const issues = base.flatMap((one) => faultsOn(context, definition, one));
  if (issues.length > 0) throw new Problem('unprocessable', 'the search parameter cannot be used', { issues });
  return { definition, base };
}

function isStandard(
  { definitions }: SearchContext,
  base: readonly string[],
  { code, url }: { code: string; url: string },
) {
  return base.every((one) => definitions.searchParameters(typeOfBase(one)).get(code)?.url === url);
}

/** What holds for every resource is tried on one. */
function typeOfBase(base: string): string {
  return base === 'Resource' || base === 'DomainResource' ? 'Basic' : base;
}

const codeForm = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

function faultsOn(
  { definitions, parameters }: SearchContext,
  definition: SearchParameterDefinition,
  base: string,
): readonly Issue[] {
  const type = typeOfBase(base);
  if (!definitions.resourceTypes.has(type)) return [issue(`${base} is no resource type`, 'base')];
  if (!codeForm.test(definition.code)) return [issue('the code cannot stand in a query', 'code')];
  const taken = parameters.defined(type).get(definition.code);
  if (taken !== undefined && taken.url !== definition.url) {
    return [issue(`on ${base}, the code is that of another search parameter: ${taken.url}`, 'code')];
  }
  const fault = parameters.fault(definition, type);
  return fault === undefined
    ? []
    : [issue(`on ${base}: ${fault}`, definition.type === 'composite' ? 'component' : 'expression')];
}

function issue(text: string, member: string): Issue {
  return { severity: 'error', code: 'not-supported', text, expression: `SearchParameter.${member}` };
}

/** The types whose resources it may find. */
export function typesOfBase({ definitions }: SearchContext, base: readonly string[]): readonly string[] {
  const isEvery = base.some((one) => one === 'Resource' || one === 'DomainResource');
  return isEvery ? [...definitions.resourceTypes] : [...base];
}
