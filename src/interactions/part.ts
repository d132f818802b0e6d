/**
 * `_summary` and `_elements` on any answer (https://hl7.org/fhir/R4/search.html#summary, #elements): the resource of a
 * read, or each resource in a Bundle that was put together for the answer. Without them nothing is parsed.
 */
import { jsonLimits, Problem } from '../base/index.ts';
import {
  type Definitions,
  parseJson,
  readElements,
  type Resource,
  selectElements,
  serializeJson,
  summarize,
  type SummaryMode,
} from '../fhir/index.ts';
import type { Answer, Context, Request } from './context.ts';

/** An answer puts resources of any depth that is taken into Bundles of its own. */
const answerLimits = { ...jsonLimits, depthMax: jsonLimits.depthMax + 10, valuesMax: Number.POSITIVE_INFINITY };

type Part = (resource: Resource) => Resource;

/** Throws `incorrect` for values that mean nothing. The answer of a search for a mere count has no resources: it stays. */
export function takePart(context: Context, request: Request, answer: Answer): Answer {
  if (request.query.length === 0 || answer.body === undefined) return answer;
  const part = readPart(context.definitions, request);
  if (part === undefined) return answer;
  const whole = parseJson(answer.body, answerLimits) as Resource;
  const taken = answer.isAssembled === true ? partsOfEntries(whole, part) : part(whole);
  return { ...answer, body: serializeJson(taken) };
}

function readPart(definitions: Definitions, request: Request): Part | undefined {
  const summary = single(request, '_summary');
  const elements = single(request, '_elements');
  const mode = summary === undefined ? undefined : readSummary(summary);
  if (elements === undefined) return mode === undefined ? undefined : (one) => summarize(one, mode, definitions);
  if (mode !== undefined) throw new Problem('incorrect', 'expected _summary or _elements, found both');
  return (one) => {
    const names = readElements(elements.replace(/\b[A-Z]\w*\./g, ''), definitions.resourceTypes, definitions);
    return selectElements(one, names, definitions);
  };
}

const modes: readonly string[] = ['true', 'text', 'data'] satisfies readonly SummaryMode[];

function readSummary(value: string): SummaryMode | undefined {
  if (modes.includes(value)) return value as SummaryMode;
  if (value === 'false' || value === 'count') return undefined;
  throw new Problem('incorrect', 'parameter _summary: expected one of true, text, data, count, false');
}

function single({ query }: Request, name: string): string | undefined {
  const [first, ...others] = query.filter(([one]) => one === name);
  if (others.length > 0) throw new Problem('incorrect', `parameter ${name}: it is given more than once`);
  return first?.[1];
}

type Entries = readonly { readonly resource?: Resource; readonly search?: { readonly mode?: string } }[];

/** An outcome among the entries of a search is no match: it stays whole. */
function partsOfEntries(bundle: Resource, part: Part): Resource {
  const { entry } = bundle as { entry?: Entries };
  if (entry === undefined) return bundle;
  const taken = entry.map((one) =>
    one.resource === undefined || one.search?.mode === 'outcome' ? one : { ...one, resource: part(one.resource) },
  );
  return { ...bundle, entry: taken };
}
