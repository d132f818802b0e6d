/** In-parameters of an operation: from the URL, or from a Parameters body (https://hl7.org/fhir/R4/operations.html#request). */
import { Problem } from '../base/index.ts';
import type { Request } from './context.ts';

export interface Input {
  readonly name: string;
  /** A primitive as text. */
  readonly text: string | undefined;
  /** Whatever `value[x]` is. */
  readonly value: unknown;
}

/** Throws `incorrect` for a body that is no Parameters, and for a parameter that the operation does not have. */
export function readInputs(request: Request, names: readonly string[]): readonly Input[] {
  const known = new Set(names);
  const fromUrl = request.query
    .filter(([name]) => !ofAnswer.has(name))
    .map(([name, value]): Input => ({ name, text: value, value }));
  const inputs = [...fromUrl, ...readBody(request.body)];
  for (const { name } of inputs) {
    if (known.has(name)) continue;
    const shown = /^[\w.-]{1,64}$/.test(name) ? name : 'given';
    throw new Problem(
      'unsupported-parameter',
      `the operation has no parameter ${shown}: expected ${names.join(', ') || 'none'}`,
    );
  }
  return inputs;
}

/** The text of the one input of this name. */
export function single(inputs: readonly Input[], name: string): string | undefined {
  const [first, ...others] = inputs.filter((input) => input.name === name);
  if (others.length > 0) throw new Problem('incorrect', `parameter ${name}: it is given more than once`);
  return first?.text;
}

/** Texts of all inputs of this name; commas part values. */
export function many(inputs: readonly Input[], name: string): readonly string[] {
  return inputs
    .filter((input) => input.name === name)
    .flatMap(({ text = '' }) => text.split(',').filter((one) => one !== ''));
}

/** How the answer is written: not the business of the operation. */
const ofAnswer: ReadonlySet<string> = new Set(['_format', '_pretty', '_summary', '_elements']);

interface ParametersBody {
  readonly resourceType?: unknown;
  readonly parameter?: unknown;
}

function readBody(body: unknown): readonly Input[] {
  if (body === undefined) return [];
  const { resourceType, parameter = [] } = body as ParametersBody;
  if (resourceType !== 'Parameters' || !Array.isArray(parameter)) {
    throw new Problem('incorrect', 'expected the parameters of the operation as a Parameters resource');
  }
  return (parameter as Readonly<Record<string, unknown>>[]).map((one) => {
    const [, value] = Object.entries(one).find(([member]) => /^(?:value[A-Z]|resource$)/.test(member)) ?? [];
    const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    const reference = (value as { reference?: unknown } | undefined)?.reference;
    const text = isPlain ? String(value) : typeof reference === 'string' ? reference : undefined;
    return { name: String(one['name']), text, value };
  });
}
