/**
 * Scopes of SMART App Launch 2.2 (https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html), version 1 and 2, as data.
 *
 *     v1   system/Observation.read     .read -> rs   .write -> cud   .* -> cruds
 *     v2   system/Observation.rs?category=laboratory     letters: a part of `cruds` in this order
 *
 * What is not one of these is refused, never widened: letters out of order, modifiers and chains in a constraint.
 */
export type ScopeLevel = 'patient' | 'user' | 'system';

/** create, read (with vread and history of an instance), update (with patch), delete, search (with history of a type). */
export type Interaction = 'c' | 'r' | 'u' | 'd' | 's';

export interface Scope {
  readonly level: ScopeLevel;
  /** A resource type, or `*`. */
  readonly type: string;
  /** A part of `cruds`, in this order. */
  readonly interactions: string;
  /** Search parameters that the resource must meet, all of them. */
  readonly constraint: readonly (readonly [name: string, value: string])[];
}

export interface ParsedScopes {
  readonly scopes: readonly Scope[];
  /** Scopes of resources that cannot be taken. */
  readonly refused: readonly string[];
  /** What says nothing of resources: `openid`, `fhirUser`, `launch/patient`, `offline_access`, ... */
  readonly others: readonly string[];
}

export const scopeLimits = { scopesMax: 300, lengthMax: 500, constraintsMax: 8 } as const;

const levelForm = /^(patient|user|system)\//;
const scopeForm = /^(patient|user|system)\/(\*|[A-Z][A-Za-z]{1,63})\.(read|write|\*|[cruds]{1,5})(?:\?(.+))?$/;
const inOrder = /^c?r?u?d?s?$/;
const versionOne: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/** The scopes of a token or a token request, parted by spaces. */
export function parseScopes(text: string): ParsedScopes {
  const words = [...new Set(text.split(' ').filter((word) => word !== ''))];
  const scopes: Scope[] = [];
  const refused: string[] = [];
  const others: string[] = [];
  for (const word of words) {
    if (!levelForm.test(word)) {
      others.push(word);
      continue;
    }
    const scope = scopes.length < scopeLimits.scopesMax ? parseScope(word) : undefined;
    if (scope === undefined) refused.push(word);
    else scopes.push(scope);
  }
  return { scopes, refused, others };
}

/** One scope of resources; undefined when it is not one, or says what is not supported. */
export function parseScope(word: string): Scope | undefined {
  if (word.length > scopeLimits.lengthMax) return undefined;
  const [, level, type, letters, query] = scopeForm.exec(word) ?? [];
  if (level === undefined || type === undefined || letters === undefined) return undefined;
  const interactions = readInteractions(letters, query !== undefined);
  const constraint = query === undefined ? [] : parseConstraint(query, type);
  if (interactions === undefined || constraint === undefined) return undefined;
  return { level: level as ScopeLevel, type, interactions, constraint };
}

/** Version 1 has words, and no constraints. */
function readInteractions(letters: string, isConstrained: boolean): string | undefined {
  const words = versionOne[letters];
  if (words !== undefined) return isConstrained ? undefined : words;
  return inOrder.test(letters) ? letters : undefined;
}

/** Of parameters that narrow by a value of the resource itself: no chain, no modifier, nothing about the answer. */
const parameterForm = /^(?:[a-z][a-z0-9-]{0,63}|_security|_tag|_profile)$/;

/** Of every type only what every type has. */
function parseConstraint(query: string, type: string): Scope['constraint'] | undefined {
  const pairs = [...new URLSearchParams(query)];
  const isKnown = (name: string) => parameterForm.test(name) && (type !== '*' || name.startsWith('_'));
  const isRead = pairs.every(([name, value]) => isKnown(name) && value !== '');
  return isRead && pairs.length > 0 && pairs.length <= scopeLimits.constraintsMax ? pairs : undefined;
}

/** As version 2 writes it. */
export function formatScope({ level, type, interactions, constraint }: Scope): string {
  const query = constraint.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  return `${level}/${type}.${interactions}${query === '' ? '' : `?${query}`}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':').replaceAll('%2F', '/').replaceAll('%7C', '|');
}

/**
 * What of the scopes asked for was allowed before: never more than either of them. A narrower allowance narrows the scope: `*` becomes
 * the types that were allowed, letters fall away, constraints of both hold.
 */
export function grantScopes(asked: readonly Scope[], allowed: readonly Scope[]): readonly Scope[] {
  const granted = asked.flatMap((scope) => allowed.flatMap((allowance) => meet(scope, allowance) ?? []));
  return [...new Map(granted.map((scope) => [formatScope(scope), scope])).values()].slice(0, scopeLimits.scopesMax);
}

function meet(asked: Scope, allowed: Scope): Scope | undefined {
  if (asked.level !== allowed.level) return undefined;
  if (asked.type !== '*' && allowed.type !== '*' && asked.type !== allowed.type) return undefined;
  const interactions = [...asked.interactions].filter((letter) => allowed.interactions.includes(letter)).join('');
  if (interactions === '') return undefined;
  const pairs = [...allowed.constraint, ...asked.constraint];
  const constraint = [...new Map(pairs.map((pair) => [pair.join('='), pair])).values()];
  if (constraint.length > scopeLimits.constraintsMax) return undefined;
  return { level: asked.level, type: asked.type === '*' ? allowed.type : asked.type, interactions, constraint };
}
