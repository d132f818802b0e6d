/** The values of one parameter with its modifier -> criterion. */
import type { SearchContext } from './context.ts';
import { splitEscaped, unescapeValue } from './escape.ts';
import { incorrect, unsupported } from './fault.ts';
import { readArea } from './near.ts';
import type { SearchParameter } from './parameters.ts';
import {
  type Input,
  readAlternatives,
  readDates,
  readNumbers,
  readOfType,
  readReferences,
  readRelated,
  readStrings,
  readToken,
  readTokens,
  readUris,
  readValueSets,
} from './parse-values.ts';
import type { Scope } from './scope.ts';
import type { Criterion } from './tree.ts';

export function parseMissing(input: Input, parameter: SearchParameter): Criterion {
  if (parameter.column !== undefined) throw unsupported(input.name, 'it is never missing');
  if (input.value !== 'true' && input.value !== 'false') throw incorrect(input.name, 'expected true or false');
  return { kind: 'missing', parameter, isMissing: input.value === 'true' };
}

interface Sought {
  readonly parameter: SearchParameter;
  readonly modifier: string | undefined;
}

export function parseValues(scope: Scope, input: Input, { parameter, modifier }: Sought): Criterion {
  const { context, now } = scope;
  switch (parameter.type) {
    case 'token':
      return parseToken(context, input, { parameter, modifier });
    case 'reference':
      return parseReference(context, input, { parameter, modifier });
    case 'string':
      return parseString(input, { parameter, modifier });
    case 'uri':
      return parseUri(input, { parameter, modifier });
    case 'date': {
      requireNoModifier(input, modifier);
      const values = readDates(context, input, now);
      return parameter.column === 'lastUpdated' ? { kind: 'updated', values } : { kind: 'date', parameter, values };
    }
    case 'number':
    case 'quantity':
      requireNoModifier(input, modifier);
      return { kind: 'number', parameter, values: readNumbers(input, parameter.type === 'quantity') };
    case 'special': {
      requireNoModifier(input, modifier);
      const areas = readAlternatives(input).map((text) => readArea(input.name, text, context.readers.units));
      return { kind: 'near', parameter, areas };
    }
    case 'composite':
      requireNoModifier(input, modifier);
      return parseComposite(scope, input, parameter);
  }
}

/** Modifiers of tokens that stand for other codes: what the value names becomes the codes sought. */
const expansions = {
  in: readValueSets,
  'not-in': readValueSets,
  below: readRelated,
  above: readRelated,
} as const;

function parseToken(context: SearchContext, input: Input, { parameter, modifier }: Sought): Criterion {
  if (parameter.column !== undefined) {
    requireNoModifier(input, modifier);
    return { kind: 'id', ids: readAlternatives(input).map(unescapeValue) };
  }
  switch (modifier) {
    case undefined:
    case 'not':
      return { kind: 'token', parameter, isNot: modifier === 'not', values: readTokens(input, parameter) };
    case 'in':
    case 'not-in':
    case 'below':
    case 'above': {
      const values = expansions[modifier](context.terminology, input, { parameter, modifier });
      return { kind: 'token', parameter, isNot: modifier === 'not-in', values };
    }
    case 'text':
      requireIndexed(input, parameter);
      return { kind: 'label', parameter, values: readStrings(input, false) };
    case 'of-type':
      return { kind: 'of-type', parameter, values: readOfType(input, parameter) };
    default:
      throw unsupportedModifier(input);
  }
}

function parseReference(context: SearchContext, input: Input, { parameter, modifier }: Sought): Criterion {
  if (modifier === 'identifier') {
    const values = readAlternatives(input).map((text) => readToken(input.name, text));
    return { kind: 'identifier', parameter, values };
  }
  if (modifier !== undefined && !context.definitions.resourceTypes.has(modifier)) throw unsupportedModifier(input);
  return { kind: 'reference', parameter, values: readReferences(context, input, modifier) };
}

function parseString(input: Input, { parameter, modifier }: Sought): Criterion {
  if (modifier !== 'exact' && modifier !== 'contains') requireNoModifier(input, modifier);
  const match = modifier === 'exact' || modifier === 'contains' ? modifier : 'prefix';
  return { kind: 'string', parameter, match, values: readStrings(input, match === 'exact') };
}

function parseUri(input: Input, { parameter, modifier }: Sought): Criterion {
  if (modifier !== 'below' && modifier !== 'above') requireNoModifier(input, modifier);
  else requireIndexed(input, parameter);
  const match = modifier === 'below' || modifier === 'above' ? modifier : 'equals';
  return { kind: 'uri', parameter, match, values: readUris(input, match) };
}

/** `code$value`: a criterion for each component, at each place where its values stand together. */
function parseComposite(scope: Scope, input: Input, parameter: SearchParameter): Criterion {
  const values = readAlternatives(input).flatMap((text) => {
    const parts = splitEscaped(text, '$');
    return (parameter.bases ?? []).map((base) => {
      const wanted = base.components.length;
      if (parts.length !== wanted) throw incorrect(input.name, `expected ${wanted} values with $ between them`);
      return {
        base,
        parts: base.components.map((component, place) =>
          parseValues(
            scope,
            { name: input.name, value: parts[place] ?? '' },
            { parameter: component, modifier: undefined },
          ),
        ),
      };
    });
  });
  return { kind: 'composite', parameter, values };
}

/** Values that stand on nearly every resource have keys only. */
function requireIndexed(input: Input, { paths }: SearchParameter): void {
  if (paths.some(({ isProbe }) => isProbe)) throw unsupportedModifier(input);
}

function requireNoModifier(input: Input, modifier: string | undefined): void {
  if (modifier !== undefined) throw unsupportedModifier(input);
}

function unsupportedModifier({ name }: Input) {
  return unsupported(name, 'the modifier is not supported for this parameter');
}
