/**
 * What faults against base R4 say, in English and in French.
 *
 * No value is quoted, not even a code: what stands in its place may be a name. No name of an element, save one that has
 * the shape of a name.
 */
import type { Definitions } from '../fhir/index.ts';
import { formatFrenchTexts, formatTexts } from './primitives.ts';
import type { Fault } from './runtime.ts';
import { nameShape, type Spot } from './spot.ts';

export type Described = readonly [code: string, text: string, french: string];

/** Keywords are ajv's and those of `build/keywords.ts`. */
export function describe(definitions: Definitions, { keyword, params, instancePath }: Fault, spot: Spot): Described {
  const [found, trouve] = describeValue(spot.value);
  switch (keyword) {
    case 'resourceType':
      return describeResourceType(params['expected'] as string | undefined, spot);
    case 'members':
      return describeMembers(params['kind'] as string, params['names'] as readonly string[]);
    case 'type': {
      const [expected, attendu] = typeWords[params['type'] as string] ?? ['another type', 'un autre type'];
      return ['structure', `expected ${expected}, found ${found}`, `${attendu} attendu, ${trouve} trouvé`];
    }
    case 'minItems':
    case 'maxItems':
      return describeItems(keyword === 'minItems', params['limit'], spot);
    case 'minimum':
    case 'maximum':
      return describeRange(keyword === 'minimum', params['limit']);
    case 'format':
      return describeFormat(params['format'] as string, found, trouve);
    case 'binding':
      return describeBinding(params['valueSet'] as string, spot.value);
    case 'targets':
      return describeTargets(Object.values(params));
    case 'invariants':
      return describeInvariant(definitions, params['name'] as string);
    default:
      throw new Error(`no words for the keyword ${keyword} at ${instancePath}`);
  }
}

type Words = readonly [english: string, french: string];

const typeWords: Readonly<Record<string, Words>> = {
  string: ['text', 'texte'],
  number: ['a number', 'nombre'],
  integer: ['a whole number', 'nombre entier'],
  boolean: ['true or false', 'booléen'],
  array: ['an array', 'tableau'],
  object: ['an object', 'objet'],
};

function describeValue(value: unknown): Words {
  if (value === undefined) return ['nothing', 'rien'];
  if (value === null) return ['null', 'null'];
  if (value === '') return ['empty text', 'texte vide'];
  if (Array.isArray(value)) return ['an array', 'tableau'];
  if (typeof value === 'number')
    return Number.isInteger(value) ? ['a whole number', 'nombre entier'] : ['a number', 'nombre'];
  const words: Readonly<Record<string, Words>> = {
    string: ['other text', 'autre texte'],
    boolean: ['true or false', 'booléen'],
    object: ['an object', 'objet'],
  };
  return words[typeof value] ?? ['something else', 'autre chose'];
}

function describeItems(isLeast: boolean, limit: unknown, { value }: Spot): Described {
  const { length } = value as readonly unknown[];
  return [
    'structure',
    `expected at ${isLeast ? 'least' : 'most'} ${String(limit)} in the array, found ${length}`,
    `au ${isLeast ? 'moins' : 'plus'} ${String(limit)} attendu(s) dans le tableau, ${length} trouvé(s)`,
  ];
}

function describeRange(isLeast: boolean, limit: unknown): Described {
  return [
    'value',
    `expected a number not ${isLeast ? 'below' : 'above'} ${String(limit)}`,
    `nombre ${isLeast ? 'non inférieur' : 'non supérieur'} à ${String(limit)} attendu`,
  ];
}

function describeFormat(format: string, found: string, trouve: string): Described {
  return [
    'value',
    `expected ${formatTexts[format] ?? 'another form'}, found ${found}`,
    `${formatFrenchTexts[format] ?? 'autre forme'} attendu, ${trouve} trouvé`,
  ];
}

function describeTargets(targets: readonly unknown[]): Described {
  return [
    'value',
    `expected a reference to ${targets.join(', ')}, found one to another type of resource`,
    `référence vers ${targets.join(', ')} attendue, autre type de ressource trouvé`,
  ];
}

function describeResourceType(expected: string | undefined, { value }: Spot): Described {
  if (expected !== undefined) {
    const [found, trouve] = nameOr(value, ['another', 'un autre']);
    return [
      'structure',
      `expected a resource of type ${expected}, found ${found}`,
      `ressource de type ${expected} attendue, ${trouve} trouvé`,
    ];
  }
  if (value === undefined)
    return [
      'structure',
      'expected a resource: an object with a resourceType',
      'ressource attendue : un objet avec un resourceType',
    ];
  const [found, trouve] = nameOr(value, ['something else', 'autre chose']);
  return [
    'structure',
    `expected a resource type of R4, found ${found}`,
    `type de ressource R4 attendu, ${trouve} trouvé`,
  ];
}

function nameOr(value: unknown, otherwise: Words): Words {
  return typeof value === 'string' && nameShape.test(value) ? [value, value] : otherwise;
}

function describeMembers(kind: string, names: readonly string[]): Described {
  switch (kind) {
    case 'unknown':
      return ['structure', 'there is no element of this name here', "il n'y a pas d'élément de ce nom ici"];
    case 'missing':
      return ['required', 'this element is required, and not there', 'cet élément est obligatoire, et absent'];
    case 'choice':
      return [
        'structure',
        `expected one type of this element, found ${names.join(' and ')}`,
        `un seul type attendu pour cet élément, ${names.join(' et ')} trouvés`,
      ];
    case 'null':
      return [
        'structure',
        `expected a value, or an extension at the same place of _${names[0] ?? ''}, found neither`,
        `valeur attendue, ou extension à la même place de _${names[0] ?? ''}, aucune trouvée`,
      ];
    default:
      return [
        'structure',
        'expected an element with a value or with children, found an empty one',
        'élément avec valeur ou contenu attendu, élément vide trouvé',
      ];
  }
}

/** The code itself is not told: what stands in its place may be a name. */
function describeBinding(valueSet: string, value: unknown): Described {
  const isText = typeof value === 'string';
  return [
    'code-invalid',
    `expected a code of ${valueSet} (required binding), found ${isText ? 'another code' : 'another code, or none'}`,
    `code de ${valueSet} attendu (liaison obligatoire), ${isText ? 'autre code trouvé' : 'autre code ou aucun trouvé'}`,
  ];
}

function describeInvariant(definitions: Definitions, name: string): Described {
  const [source = '', key = ''] = name.split(' ');
  const type = definitions.type(source);
  const stated = [
    ...(type?.constraints ?? []),
    ...[...(type?.elements.values() ?? [])].flatMap((element) => element.constraints ?? []),
  ];
  const human =
    stated.find((constraint) => constraint.key === key && constraint.source === source)?.human ?? 'does not hold';
  return ['invariant', `${key}: ${human}`, `${key} : la contrainte de ${source} n'est pas respectée (${human})`];
}
