/**
 * JSON Patch (RFC 6902, JSON Pointer RFC 6901) on a resource, as https://hl7.org/fhir/R4/http.html#patch has it.
 *
 * Works on a copy, all or nothing. The budget of size is kept per operation, before anything is copied: twenty doublings
 * of a small value would fill the memory. FHIR JSON has no empty lists and objects, so what a removal leaves empty goes
 * too. No text quotes a value of the resource or of the patch.
 */
import { jsonLimits, jsonPatchLimits, Problem, type ProblemCategory } from '../../base/index.ts';
import { ExactNumber, exposeDigits, hideDigits } from '../digits.ts';
import type { Resource } from '../resource.ts';

/**
 * The resource as the patch makes it; `patch` is a parsed JSON value. Throws `incorrect` for what is no JSON Patch,
 * `unprocessable` for an operation that cannot be applied, `content-too-costly` beyond the limits.
 */
export function applyJsonPatch(resource: Resource, patch: unknown): Resource {
  const operations = readOperations(exposeDigits(patch));
  const root = exposeDigits(resource) as Container;
  const { size } = measure(root);
  const { growthFactorMax, growthMax } = jsonPatchLimits;
  const draft: Draft = { root, size, sizeMax: growthFactorMax * size + growthMax, emptied: new Set() };
  for (const operation of operations) applyOperation(draft, operation);
  dropEmptied(draft, draft.root);
  return hideDigits(draft.root) as unknown as Resource;
}

/** An object or an array; the names of an array are its indexes. */
type Container = Record<string, unknown> | unknown[];

interface Draft {
  readonly root: Container;
  size: number;
  readonly sizeMax: number;
  /** Containers from which something was removed. */
  readonly emptied: Set<unknown>;
}

type Pointer = readonly string[];

interface Operation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: Pointer;
  readonly from: Pointer;
  readonly value: unknown;
  /** For people: which operation this is. */
  readonly label: string;
}

/** Whether an operation has the member. */
const members: Readonly<Record<Operation['op'], { readonly from: boolean; readonly value: boolean }>> = {
  add: { from: false, value: true },
  remove: { from: false, value: false },
  replace: { from: false, value: true },
  move: { from: true, value: false },
  copy: { from: true, value: false },
  test: { from: false, value: true },
};

function readOperations(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) throw problem('incorrect', 'a JSON Patch is an array of operations');
  const { operationsMax } = jsonPatchLimits;
  if (patch.length > operationsMax) {
    throw problem(
      'content-too-costly',
      `the patch has ${patch.length} operations, at most ${operationsMax} are allowed`,
    );
  }
  return patch.map(readOperation);
}

function readOperation(value: unknown, index: number): Operation {
  const place = `operation ${index + 1}`;
  if (!isObject(value)) throw problem('incorrect', `${place} is not an object`);
  const { op, path, from } = value;
  if (!isOperator(op))
    throw problem('incorrect', `${place}: expected op to be one of ${Object.keys(members).join(', ')}`);
  const has = members[op];
  if (has.value && !Object.hasOwn(value, 'value')) throw problem('incorrect', `${place} (${op}): it has no value`);
  const label = `${place} (${op} ${printPointer(path)})`;
  return {
    op,
    label,
    path: readPointer(path, `${label}: path`),
    from: has.from ? readPointer(from, `${label}: from`) : [],
    value: value['value'],
  };
}

function isOperator(op: unknown): op is Operation['op'] {
  return typeof op === 'string' && Object.hasOwn(members, op);
}

/** Pointers name elements; what does not look like one might hold content. */
function printPointer(pointer: unknown): string {
  return typeof pointer === 'string' && /^[\w/.~-]{0,200}$/.test(pointer) ? pointer || 'the whole resource' : '…';
}

const forbidden: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

function readPointer(text: unknown, what: string): Pointer {
  const isShort = typeof text === 'string' && text.length <= jsonPatchLimits.pointerMax;
  if (!isShort || !/^(?:\/(?:[^~/]|~[01])*)*$/.test(text)) {
    throw problem('incorrect', `${what} is not a JSON Pointer`);
  }
  const tokens = text.split('/').slice(1);
  const pointer = tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (pointer.some((token) => forbidden.has(token)))
    throw problem('incorrect', `${what} has a name that is not allowed`);
  return pointer;
}

function problem(category: ProblemCategory, text: string): Problem {
  const codes: Partial<Record<ProblemCategory, string>> = { incorrect: 'invalid', 'content-too-costly': 'too-costly' };
  return new Problem(category, text, { issues: [{ severity: 'error', code: codes[category] ?? 'processing', text }] });
}

function applyOperation(draft: Draft, operation: Operation): void {
  const { op, path, from, value, label } = operation;
  switch (op) {
    case 'add':
      return add(draft, operation, value);
    case 'remove':
      remove(draft, operation, path);
      return;
    case 'replace':
      return replace(draft, operation);
    case 'copy':
      return add(draft, operation, find(draft, operation, from));
    case 'move':
      if (from.length < path.length && from.every((token, index) => token === path[index])) {
        throw problem('incorrect', `${label}: from lies above the path`);
      }
      return add(draft, operation, remove(draft, operation, from));
    case 'test':
      if (!isEqual(find(draft, operation, path), value)) {
        throw problem('unprocessable', `${label}: the value is another one than expected`);
      }
  }
}

function add(draft: Draft, operation: Operation, added: unknown): void {
  const [owner, name] = target(draft, operation, operation.path);
  grow(draft, operation, added);
  const value = operation.op === 'copy' ? exposeDigits(added) : added;
  if (!Array.isArray(owner)) {
    if (Object.hasOwn(owner, name)) draft.size -= measure(owner[name]).size;
    owner[name] = value;
    return;
  }
  const index = name === '-' ? owner.length : readIndex(name);
  if (index === undefined || index > owner.length) throw missing(operation);
  owner.splice(index, 0, value);
}

function remove(draft: Draft, operation: Operation, pointer: Pointer): unknown {
  const [owner, name] = target(draft, operation, pointer);
  const removed = member(owner, name);
  if (removed === undefined) throw missing(operation);
  draft.size -= measure(removed).size;
  draft.emptied.add(owner);
  if (Array.isArray(owner)) owner.splice(Number(name), 1);
  else delete owner[name];
  return removed;
}

function replace(draft: Draft, operation: Operation): void {
  const [owner, name] = target(draft, operation, operation.path);
  const replaced = member(owner, name);
  if (replaced === undefined) throw missing(operation);
  grow(draft, operation, operation.value);
  draft.size -= measure(replaced).size;
  (owner as Record<string, unknown>)[name] = operation.value;
}

/** The container and the name at which an operation writes: never the whole resource, its type or its id. */
function target(draft: Draft, operation: Operation, pointer: Pointer): [owner: Container, name: string] {
  const name = pointer.at(-1);
  const isIdentity = pointer.length === 1 && (name === 'resourceType' || name === 'id');
  if (name === undefined || isIdentity) {
    throw problem('unprocessable', `${operation.label}: a patch does not change which resource this is`);
  }
  const owner = find(draft, operation, pointer.slice(0, -1));
  if (!isContainer(owner)) throw missing(operation);
  return [owner, name];
}

function find(draft: Draft, operation: Operation, pointer: Pointer): unknown {
  let value: unknown = draft.root;
  for (const token of pointer) {
    value = isContainer(value) ? member(value, token) : undefined;
    if (value === undefined) throw missing(operation);
  }
  return value;
}

function member(owner: Container, name: string): unknown {
  if (!Array.isArray(owner)) return Object.hasOwn(owner, name) ? owner[name] : undefined;
  const index = readIndex(name);
  return index === undefined ? undefined : owner[index];
}

function readIndex(token: string): number | undefined {
  return /^(?:0|[1-9]\d{0,8})$/.test(token) ? Number(token) : undefined;
}

function missing({ label }: Operation): Problem {
  return problem('unprocessable', `${label}: the resource has nothing at this place`);
}

function grow(draft: Draft, { label, path }: Operation, value: unknown): void {
  const { size, depth } = measure(value);
  draft.size += size;
  if (draft.size > draft.sizeMax) {
    throw problem(
      'content-too-costly',
      `${label}: the result would be too large (more than ${draft.sizeMax} characters)`,
    );
  }
  const { depthMax } = jsonLimits;
  if (path.length + depth > depthMax) {
    throw problem('content-too-costly', `${label}: the result would be nested deeper than ${depthMax} levels`);
  }
}

/** About as many characters as the JSON text has. Depth is bounded: by the parser, and for results by `grow`. */
function measure(value: unknown): { readonly size: number; readonly depth: number } {
  if (value instanceof ExactNumber) return { size: value.digits.length + 1, depth: 0 };
  if (!isContainer(value)) return { size: (typeof value === 'string' ? value : String(value)).length + 3, depth: 0 };
  let size = 2;
  let depth = 0;
  for (const [name, item] of Object.entries(value)) {
    const below = measure(item);
    size += below.size + (Array.isArray(value) ? 0 : name.length + 3);
    depth = Math.max(depth, below.depth);
  }
  return { size, depth: depth + 1 };
}

/** RFC 6902 section 4.6: numbers by value, objects without order. */
function isEqual(left: unknown, right: unknown): boolean {
  if (left instanceof ExactNumber || right instanceof ExactNumber) return toNumber(left) === toNumber(right);
  if (!isContainer(left) || !isContainer(right)) return left === right;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every(
    (name) =>
      Object.hasOwn(right, name) &&
      isEqual((left as Record<string, unknown>)[name], (right as Record<string, unknown>)[name]),
  );
}

function toNumber(value: unknown): unknown {
  return value instanceof ExactNumber ? Number(value.digits) : value;
}

/** Answers whether the value is now to be dropped itself. */
function dropEmptied(draft: Draft, value: unknown): boolean {
  if (draft.emptied.size === 0 || !isContainer(value)) return false;
  if (Array.isArray(value)) {
    const kept = value.filter((item) => !dropEmptied(draft, item));
    if (kept.length < value.length) {
      draft.emptied.add(value);
      value.splice(0, value.length, ...kept);
    }
  } else {
    for (const [name, item] of Object.entries(value)) {
      if (!dropEmptied(draft, item)) continue;
      delete value[name];
      draft.emptied.add(value);
    }
  }
  return draft.emptied.has(value) && Object.keys(value).length === 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return isContainer(value) && !Array.isArray(value);
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null && !(value instanceof ExactNumber);
}
