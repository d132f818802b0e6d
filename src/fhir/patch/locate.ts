/**
 * Where in a draft a path points. FHIRPath answers values, not places; so the path is checked by `fhirpath.ts` as a
 * whole, and then followed here step by step, over elements, indexes and the functions that select. Only the criterion
 * of `where` is evaluated as FHIRPath: it answers which items of the step before meet it.
 */
import type { Definitions } from '../definitions.ts';
import { compileExpression, tryEvaluate } from '../fhirpath.ts';
import type { Moment } from '../fhirpath-runtime.ts';
import { isA } from '../fhirpath-types.ts';
import type { Resource } from '../resource.ts';
import { isMembers, type Members, presentType } from './items.ts';
import { isPlace, itemAt, type Place, placesBelow, type Target } from './places.ts';
import { type Segment, splitPath } from './path.ts';

export interface LocateSetting {
  readonly definitions: Definitions;
  /** Criteria may compare dates. */
  readonly moment: Moment;
}

/** What a path found, or a text that says why it cannot be followed. */
export type Located = readonly Target[] | string;

export interface Path {
  readonly targets: Located;
  /** The targets of all but the last step, and the element that it names; undefined for a function or an index. */
  readonly before: { readonly targets: Located; readonly name: string } | undefined;
}

export function locate(setting: LocateSetting, root: Members, path: string): Path {
  const fault = check(setting, root, path);
  const segments = fault === undefined ? splitPath(path) : undefined;
  if (segments === undefined) return { targets: fault ?? notPlain, before: undefined };
  const walk: Walk = { setting, root, resource: JSON.parse(JSON.stringify(root)) as Resource };
  const last = segments.at(-1);
  const isElement = last !== undefined && last.argument === undefined && last.indexes.length === 0;
  const before = follow(walk, segments.slice(0, -1));
  return { targets: follow(walk, segments), before: isElement ? { targets: before, name: last.name } : undefined };
}

const notPlain =
  'a path has elements, indexes and the functions where, first, last, single, tail, skip, take, ofType, as and extension only';

interface Walk {
  readonly setting: LocateSetting;
  readonly root: Members;
  /** The draft with plain numbers, for FHIRPath. */
  readonly resource: Resource;
}

function check({ definitions }: LocateSetting, root: Members, path: string): string | undefined {
  const context = String(root['resourceType']);
  const compiled = compileExpression(path, { definitions, context, variables: {} });
  return compiled.kind === 'ok' ? undefined : compiled.issues.map((issue) => issue.text).join('; ');
}

function follow(walk: Walk, segments: readonly Segment[]): Located {
  const type = walk.setting.definitions.type(String(walk.root['resourceType']));
  if (type === undefined) return 'the type of the resource is not known';
  let targets: readonly Target[] = [{ type, members: walk.root, place: undefined }];
  for (const [position, segment] of segments.entries()) {
    // A path may begin with the type of the resource.
    const isStart = position === 0 && isA(walk.setting.definitions, type.name, segment.name);
    const before = segments.slice(0, position).map(({ text }) => text);
    const found = isStart ? targets : step(walk, { targets, segment, before: before.join('.') });
    if (typeof found === 'string') return found;
    targets = segment.indexes.reduce((items, index) => items.slice(index, index + 1), found);
  }
  return targets;
}

interface Stand {
  readonly targets: readonly Target[];
  readonly segment: Segment;
  /** The path up to here. */
  readonly before: string;
}

function step(walk: Walk, stand: Stand): Located {
  const { targets, segment } = stand;
  const { definitions } = walk.setting;
  const { name, argument } = segment;
  if (argument === undefined) return targets.flatMap((target) => placesBelow(definitions, target, name));
  switch (name) {
    case 'where':
      return meeting(walk, stand, argument);
    case 'first':
      return targets.slice(0, 1);
    case 'last':
      return targets.slice(-1);
    case 'single':
      return targets.length > 1 ? `single() found ${targets.length} elements` : targets;
    case 'tail':
      return targets.slice(1);
    case 'skip':
    case 'take':
      return cut(stand, argument);
    case 'ofType':
    case 'as':
      return targets.filter((target) => isA(definitions, typeOf(target), argument.trim().replace(/^FHIR\./, '')));
    case 'extension':
      return extensions(definitions, targets, argument);
    default:
      return notPlain;
  }
}

function cut({ targets, segment }: Stand, argument: string): Located {
  if (!/^\d{1,6}$/.test(argument.trim())) return `${segment.name}() takes a number`;
  const count = Number(argument);
  return segment.name === 'skip' ? targets.slice(count) : targets.slice(0, count);
}

function typeOf(target: Target): string {
  if (!isPlace(target)) return target.type.name;
  const type = presentType(target.slot) ?? '';
  return type === 'Resource' ? String((itemAt(target).value as Members)['resourceType']) : type;
}

function extensions(definitions: Definitions, targets: readonly Target[], argument: string): Located {
  const url = /^\s*'([^'\\]*)'\s*$/.exec(argument)?.[1];
  if (url === undefined) return 'extension() takes a text without escapes';
  const hasUrl = (place: Place): boolean => {
    const { value } = itemAt(place);
    return isMembers(value) && value['url'] === url;
  };
  return targets.flatMap((target) => placesBelow(definitions, target, 'extension').filter(hasUrl));
}

/** `before.where(criterion)` → the indexes that `before.select(iif(criterion, $index))` yields. */
function meeting(walk: Walk, { targets, before }: Stand, criterion: string): Located {
  const start = before === '' ? '$this' : before;
  const count = evaluate(walk, `${start}.count()`);
  const met = evaluate(walk, `${start}.select(iif(${criterion}, $index))`);
  if (typeof count === 'string') return count;
  if (typeof met === 'string') return met;
  // FHIRPath and this walk must speak of the same items.
  if (count[0] !== targets.length) return 'where() cannot tell these items apart: use an index';
  return targets.filter((_target, index) => met.includes(index));
}

function evaluate({ setting, resource }: Walk, text: string): readonly unknown[] | string {
  const { definitions, moment } = setting;
  const compiled = compileExpression(text, { definitions, context: resource.resourceType, variables: {} });
  if (compiled.kind === 'faults') return compiled.issues.map((issue) => issue.text).join('; ');
  const result = tryEvaluate(compiled.expression, resource, {}, moment);
  return result.kind === 'error' ? result.text : result.items.map((item) => item.value);
}
