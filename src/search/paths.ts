/**
 * An expression on a resource type -> the typed paths it can take in the JSON.
 *
 * Types are known ahead from the definitions, so a choice becomes one path per type (`Observation.value` ->
 * `valueQuantity`, `valueString`, ...), `as` and `ofType` pick among them, and nothing is guessed from the shape of data.
 * Branches of a union that begin with another resource type fall away.
 */
import type { Definitions, ElementDefinition, TypeDefinition } from '../fhir/index.ts';
import { type Expression, ExpressionFault } from './expression.ts';

export interface Path {
  /** The element with its filters, without the type of a choice: `Patient.telecom(system=phone)`. */
  readonly text: string;
  /** FHIR type of the value at the end. */
  readonly type: string;
  readonly steps: readonly Step[];
  /** All types that the element may have. */
  readonly choices: readonly string[];
  /** Of a Reference: the resource types that it may point at. */
  readonly targets: readonly string[];
  /** Of `.where(resolve() is X)`: only references to X. */
  readonly restriction: string | undefined;
  /** The value set of a required binding. */
  readonly valueSet: string | undefined;
  /** A resource has at most one value here. */
  readonly isSingle: boolean;
}

export type Step =
  | { readonly kind: 'member'; readonly property: string; readonly index?: number }
  | { readonly kind: 'filter'; readonly property: string; readonly value: string | boolean }
  | { readonly kind: 'compute'; readonly text: string; readonly compute: (node: Node) => boolean | undefined };

export type Node = Readonly<Record<string, unknown>>;

/** `base`: an element of the resource from which the expression starts, as in components of composite parameters. */
export function compilePaths(
  expression: Expression,
  resourceType: string,
  definitions: Definitions,
  base?: Path,
): readonly Path[] {
  const root: Path = {
    text: resourceType,
    type: resourceType,
    steps: [],
    choices: [resourceType],
    targets: [],
    restriction: undefined,
    valueSet: undefined,
    isSingle: true,
  };
  return new Compiler({ root, start: base ?? root }, definitions).paths(expression);
}

class Compiler {
  readonly #root: Path;
  readonly #start: Path;
  readonly #definitions: Definitions;

  constructor({ root, start }: { readonly root: Path; readonly start: Path }, definitions: Definitions) {
    this.#root = root;
    this.#start = start;
    this.#definitions = definitions;
  }

  paths(expression: Expression): readonly Path[] {
    switch (expression.kind) {
      case 'member':
        return expression.of === undefined
          ? this.#first(expression.name)
          : this.#members(this.paths(expression.of), expression.name);
      case 'union':
        return [...this.paths(expression.left), ...this.paths(expression.right)];
      case 'as':
        return this.paths(expression.of).filter(({ type }) => isNamed(type, expression.type));
      case 'index':
        return this.paths(expression.of).map((path) => takeIndex(path, expression.index));
      case 'call':
        return this.#call(expression);
      case 'operation':
        return [this.#computed(expression)];
      case 'is':
      case 'literal':
        throw new ExpressionFault(`${expression.kind} is not supported here`);
    }
  }

  /** The first name is the type itself, one that it derives from, another type (no path), or an element. */
  #first(name: string): readonly Path[] {
    if (name === '%resource') return [this.#root];
    const type = this.#definitions.type(name);
    if (type?.kind !== 'resource') return this.#members([this.#start], name);
    return this.#derivesFrom(this.#root.type, name) ? [this.#root] : [];
  }

  #derivesFrom(name: string, ancestor: string): boolean {
    for (let next: TypeDefinition | undefined = this.#definitions.type(name); next !== undefined; ) {
      if (next.name === ancestor) return true;
      next = next.base === undefined ? undefined : this.#definitions.type(next.base);
    }
    return false;
  }

  /** A choice may have types without that element; when none of them has it, the expression is wrong. */
  #members(paths: readonly Path[], name: string): readonly Path[] {
    const found = paths.flatMap((path) => this.#member(path, name));
    if (found.length === 0 && paths.length > 0) throw new ExpressionFault(`${paths[0]?.text} has no element ${name}`);
    return found;
  }

  #member(path: Path, name: string): readonly Path[] {
    const type = this.#definitions.type(path.type);
    if (type?.kind === 'primitive-type') return name === 'extension' ? [extensionsOfPrimitive(path)] : [];
    const element = type?.elements.get(name);
    return element === undefined
      ? []
      : element.types.map(({ code, targets }) => stepInto(path, element, { code, targets }));
  }

  #call({ of, name, argument }: Extract<Expression, { kind: 'call' }>): readonly Path[] {
    const paths = of === undefined ? [this.#start] : this.paths(of);
    if (name === 'where' && argument !== undefined) return paths.map((path) => applyWhere(path, argument));
    if (name === 'extension' && argument?.kind === 'literal') {
      return this.#members(paths, 'extension').map((path) => addFilter(path, 'url', argument.value));
    }
    throw new ExpressionFault(`${name}() is not supported here`);
  }

  /** A condition on the whole resource, e.g. `Patient.deceased.exists() and Patient.deceased != false`. */
  #computed(expression: Expression): Path {
    const text = `${this.#root.text}(${printCondition(expression)})`;
    const compute = this.#condition(expression);
    return { ...this.#root, text, type: 'boolean', choices: ['boolean'], steps: [{ kind: 'compute', text, compute }] };
  }

  #condition(expression: Expression): (node: Node) => boolean | undefined {
    if (expression.kind === 'call' && expression.name === 'exists' && expression.of !== undefined) {
      const paths = this.paths(expression.of);
      return (node) => paths.some((path) => valuesAt(path, node).length > 0);
    }
    if (expression.kind !== 'operation') throw new ExpressionFault('the condition is not supported');
    if (expression.operator === 'and') {
      const [left, right] = [this.#condition(expression.left), this.#condition(expression.right)];
      return (node) => andThen(left(node), right(node));
    }
    return this.#comparison(expression);
  }

  #comparison({
    operator,
    left,
    right,
  }: Extract<Expression, { kind: 'operation' }>): (node: Node) => boolean | undefined {
    if (right.kind !== 'literal') throw new ExpressionFault('only a literal can be compared with');
    const paths = this.paths(left);
    return (node) => {
      const [value] = paths.flatMap((path) => valuesAt(path, node));
      return value === undefined ? undefined : (value === right.value) === (operator === '=');
    };
  }
}

/** One expression of the standard says `DateTime` where the type is `dateTime`. */
function isNamed(type: string, asked: string): boolean {
  return type === asked || type === asked.charAt(0).toLowerCase() + asked.slice(1);
}

/** FHIRPath's `and`: nothing on one side leaves the answer open unless the other side is false. */
function andThen(left: boolean | undefined, right: boolean | undefined): boolean | undefined {
  if (left === false || right === false) return false;
  return left === undefined || right === undefined ? undefined : true;
}

function stepInto(
  path: Path,
  element: ElementDefinition,
  { code, targets }: { readonly code: string; readonly targets: readonly string[] | undefined },
): Path {
  const property = element.isChoice ? element.name + code.charAt(0).toUpperCase() + code.slice(1) : element.name;
  return {
    text: `${path.text}.${element.name}`,
    type: code,
    steps: [...path.steps, { kind: 'member', property }],
    choices: element.types.map((type) => type.code),
    targets: targets ?? [],
    restriction: undefined,
    valueSet: element.binding?.strength === 'required' ? element.binding.valueSet : undefined,
    isSingle: path.isSingle && element.max <= 1,
  };
}

/** The extensions of a primitive stand beside it, under its name with an underscore. */
function extensionsOfPrimitive(path: Path): Path {
  const last = path.steps.at(-1);
  if (last?.kind !== 'member') throw new ExpressionFault('extension is not supported here');
  const beside: Step = { ...last, property: `_${last.property}` };
  const extension: Step = { kind: 'member', property: 'extension' };
  return {
    ...path,
    text: `${path.text}.extension`,
    type: 'Extension',
    choices: ['Extension'],
    steps: [...path.steps.slice(0, -1), beside, extension],
    isSingle: false,
  };
}

function takeIndex(path: Path, index: number): Path {
  const last = path.steps.at(-1);
  if (last?.kind !== 'member') throw new ExpressionFault('an index is not supported here');
  return { ...path, text: `${path.text}[${index}]`, steps: [...path.steps.slice(0, -1), { ...last, index }] };
}

function applyWhere(path: Path, condition: Expression): Path {
  if (condition.kind === 'is' && condition.of.kind === 'call' && condition.of.name === 'resolve') {
    return { ...path, restriction: condition.type };
  }
  if (condition.kind === 'operation' && condition.operator === '=') {
    const { left, right } = condition;
    if (left.kind === 'member' && left.of === undefined && right.kind === 'literal') {
      return addFilter(path, left.name, right.value);
    }
  }
  throw new ExpressionFault('the condition of where() is not supported');
}

function addFilter(path: Path, property: string, value: string | boolean): Path {
  return {
    ...path,
    text: `${path.text}(${property}=${value})`,
    steps: [...path.steps, { kind: 'filter', property, value }],
  };
}

/** The name of a condition in keys: of the kinds that a condition may be made of. */
function printCondition(expression: Expression): string {
  switch (expression.kind) {
    case 'member':
      return expression.of === undefined ? expression.name : `${printCondition(expression.of)}.${expression.name}`;
    case 'operation':
      return `${printCondition(expression.left)} ${expression.operator} ${printCondition(expression.right)}`;
    case 'call':
      return `${expression.of === undefined ? '' : printCondition(expression.of)}.${expression.name}()`;
    case 'literal':
      return String(expression.value);
    case 'as':
    case 'index':
    case 'is':
    case 'union':
      throw new ExpressionFault('the condition is not supported');
  }
}

/** All values at a path, arrays flattened. */
export function valuesAt(path: Path, node: Node): readonly unknown[] {
  return path.steps.reduce<readonly unknown[]>((nodes, step) => nodes.flatMap((one) => takeStep(step, one)), [node]);
}

export function takeStep(step: Step, node: unknown): readonly unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  const members = node as Node;
  switch (step.kind) {
    case 'member': {
      const value = members[step.property];
      const values = Array.isArray(value) ? value : [value];
      const taken = step.index === undefined ? values : values.slice(step.index, step.index + 1);
      return taken.filter((one) => one !== undefined && one !== null);
    }
    case 'filter':
      return members[step.property] === step.value ? [node] : [];
    case 'compute': {
      const value = step.compute(members);
      return value === undefined ? [] : [value];
    }
  }
}
