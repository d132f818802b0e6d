/** Criterion -> conditions on the index. */
import { searchLimits } from '../base/index.ts';
import { type Condition, type KeysCondition, type Rank, ranks } from './condition.ts';
import type { SearchContext } from './context.ts';
import { tooCostly } from './fault.ts';
import { cutText, foldCode, foldText } from './fold.ts';
import { keyText } from './keys.ts';
import type { IndexPath, SearchParameter } from './parameters.ts';
import { comparableUnit, dateRanges, numberRanges, type Range, spanMsMax } from './range.ts';
import { lowerComposite, missingComposite } from './lower-composite.ts';
import { isUrlType, referenceTexts } from './reference.ts';
import { isPlainText } from './text.ts';
import { identifierPath, tokenTexts, type TokenValue } from './token.ts';
import type { ChainCriterion, Criterion, HasCriterion, StringCriterion } from './tree.ts';

export type Lower = (criterion: Criterion) => readonly Condition[];

export function lowerCriterion(
  context: SearchContext,
  criterion: Criterion,
  rewriteInner: Lower,
): readonly Condition[] {
  switch (criterion.kind) {
    case 'compartment':
      throw new Error('a compartment is rewritten to references first');
    case 'missing':
      return [criterion.parameter.bases === undefined ? lowerMissing(context, criterion) : missingComposite(criterion)];
    case 'either':
      return lowerEither(criterion, rewriteInner);
    case 'not':
      return [{ kind: 'not', of: criterion.of.flatMap(rewriteInner) }];
    case 'words':
      return [{ kind: 'words', scope: criterion.scope, values: criterion.values }];
    case 'label':
      return [lowerLabels(context, criterion)];
    case 'of-type':
      return [lowerOfType(context, criterion)];
    case 'near':
      return [{ kind: 'near', keys: rowKeys(context, criterion.parameter), areas: criterion.areas }];
    case 'composite':
      return lowerComposite(context, criterion, rewriteInner);
    case 'token':
      return [lowerTokens(context, criterion.parameter, criterion)];
    case 'identifier':
      return [lowerIdentifiers(context, criterion)];
    case 'reference':
      return [lowerReferences(context, criterion)];
    case 'uri':
      return [criterion.match === 'equals' ? lowerUris(context, criterion) : lowerUriParts(context, criterion)];
    case 'string':
      return lowerStrings(context, criterion);
    case 'date':
      return [lowerDates(context, criterion)];
    case 'number':
      return [lowerNumbers(context, criterion)];
    case 'id':
      return [{ kind: 'ids', ids: criterion.ids }];
    case 'updated':
      return [{ kind: 'updated', ranges: criterion.values.flatMap((value) => dateRanges(value.prefix, value)) }];
    case 'chain':
      return [lowerChain(context, criterion, rewriteInner)];
    case 'has':
      return [lowerHas(context, criterion, rewriteInner)];
  }
}

/** One list is a conjunction; inside of another one it needs no node of its own. */
function lowerEither({ of }: Of<'either'>, rewriteInner: Lower): readonly Condition[] {
  const lists = of.map((list) => list.flatMap(rewriteInner));
  const [only, ...others] = lists;
  return only !== undefined && others.length === 0 ? only : [{ kind: 'either', of: lists }];
}

/** The keys of a parameter's rows. */
function rowKeys({ readers }: SearchContext, { paths }: SearchParameter): readonly bigint[] {
  return paths.map(({ row }) => readers.hash(row));
}

type Of<Kind extends Criterion['kind']> = Extract<Criterion, { kind: Kind }>;

function lowerMissing({ readers }: SearchContext, { parameter, isMissing }: Of<'missing'>): Condition {
  const keys = parameter.paths.map((path) => readers.hash(keyText.present(path.category, path.presence)));
  return { kind: 'keys', match: isMissing ? 'none' : 'any', keys, drivers: undefined, rank: ranks.code };
}

function lowerTokens(
  context: SearchContext,
  parameter: SearchParameter,
  { isNot, values }: { readonly isNot: boolean; readonly values: readonly TokenValue[] },
): Condition {
  const found = parameter.paths.flatMap(({ name, types, systems }) =>
    values.map((value) => tokenTexts({ path: name, types, systems }, value)),
  );
  const condition = keysCondition(context, parameter.code, {
    texts: found.flatMap(({ exact }) => exact),
    // A value without driver (`system|`) leaves the whole list without: its matches could be missed.
    driverTexts: found.some(({ exact, drivers }) => exact.length > 0 && drivers.length === 0)
      ? undefined
      : found.flatMap(({ drivers }) => drivers),
    rank: tokenRank(parameter.paths),
  });
  return isNot ? { ...condition, match: 'none', drivers: undefined } : condition;
}

function tokenRank(paths: readonly IndexPath[]): Rank {
  const types = paths.flatMap((path) => path.types);
  if (types.every((type) => type === 'Identifier')) return ranks.identifier;
  if (types.every((type) => type === 'ContactPoint' || type === 'string')) return ranks.contact;
  return types.every((type) => type === 'code' || type === 'boolean') ? ranks.code : ranks.coded;
}

function lowerIdentifiers(context: SearchContext, { parameter, values }: Of<'identifier'>): Condition {
  const paths = parameter.paths
    .filter((path) => path.types.includes('Reference'))
    .map((path) => ({
      ...path,
      name: identifierPath(path.name, path.restriction),
      types: ['Identifier'],
      systems: undefined,
    }));
  return lowerTokens(context, { ...parameter, paths }, { isNot: false, values });
}

function lowerReferences(context: SearchContext, { parameter, values }: Of<'reference'>): Condition {
  const texts = parameter.paths.flatMap((path) => {
    const isUrl = path.types.every(isUrlType);
    const possible = values.filter(
      (value) => path.restriction === undefined || value.kind !== 'reference' || value.type === path.restriction,
    );
    return possible.flatMap((value) => referenceTexts(path.name, isUrl, value));
  });
  const isVersioned = values.some((value) => value.kind === 'reference' && value.version !== undefined);
  const driverTexts = isVersioned ? undefined : texts;
  return keysCondition(context, parameter.code, { texts, driverTexts, rank: ranks.reference });
}

function lowerUris(context: SearchContext, { parameter, values }: Of<'uri'>): Condition {
  const texts = parameter.paths.flatMap((path) => values.map((value) => keyText.url(path.name, value)));
  const isProbe = parameter.paths.some((path) => path.isProbe);
  return keysCondition(context, parameter.code, {
    texts,
    driverTexts: isProbe ? undefined : texts,
    rank: ranks.contact,
  });
}

/** below u -> begins with u;  above u -> is one of the begins of u */
function lowerUriParts(context: SearchContext, { parameter, match, values }: Of<'uri'>): Condition {
  const keys = rowKeys(context, parameter);
  if (match === 'below') return { kind: 'texts', match: 'prefix', keys, texts: values, isSingle: false };
  const begins = values.flatMap((value) => Array.from(value, (_sign, place) => value.slice(0, place + 1)));
  return { kind: 'texts', match: 'equals', keys, texts: [...new Set(begins)], isSingle: false };
}

function lowerLabels(context: SearchContext, { parameter, values }: Of<'label'>): Condition {
  return { kind: 'texts', match: 'prefix', keys: rowKeys(context, parameter), texts: values, isSingle: false };
}

/** Started from the value alone, which leaves few. */
function lowerOfType(context: SearchContext, { parameter, values }: Of<'of-type'>): Condition {
  const names = parameter.paths.map(({ name }) => name);
  return keysCondition(context, parameter.code, {
    texts: names.flatMap((name) =>
      values.map(({ system, code, value }) => keyText.ofType(name, { system, code: foldCode(code) }, value.trim())),
    ),
    driverTexts: names.flatMap((name) => values.map(({ value }) => keyText.anyCode(name, value.trim()))),
    rank: ranks.identifier,
  });
}

function keysCondition(
  { readers }: SearchContext,
  code: string,
  sought: {
    readonly texts: readonly string[];
    readonly driverTexts: readonly string[] | undefined;
    readonly rank: Rank;
  },
): KeysCondition {
  if (sought.texts.length > searchLimits.keysMax) throw tooCostly(code, 'its values stand for too many index keys');
  const texts = new Set(sought.texts);
  const driverTexts = new Set(sought.driverTexts);
  const keys = [...texts].map(readers.hash);
  // The same list when nothing is left to probe after the start.
  const isSame = driverTexts.size === texts.size && [...texts].every((text) => driverTexts.has(text));
  const drivers = isSame ? keys : [...driverTexts].map(readers.hash);
  return { kind: 'keys', match: 'any', keys, drivers: sought.driverTexts && drivers, rank: sought.rank };
}

/** An exact text stands under its own key; its folded form is where the search starts. */
function lowerStrings({ readers }: SearchContext, { parameter, match, values }: StringCriterion): readonly Condition[] {
  const keys = parameter.paths.map((path) => readers.hash(keyText.strings(path.name)));
  const isSingle = isSinglePath(parameter) && parameter.paths.every((path) => path.types.every(isPlainText));
  if (match !== 'exact') return [{ kind: 'texts', match, keys, texts: values, isSingle }];
  const exact: KeysCondition = {
    kind: 'keys',
    match: 'any',
    keys: parameter.paths.flatMap((path) => values.map((value) => readers.hash(keyText.exact(path.name, value)))),
    drivers: undefined,
    rank: ranks.text,
  };
  const texts = values.map((value) => cutText(foldText(value)));
  return texts.includes('') ? [exact] : [{ kind: 'texts', match: 'equals', keys, texts, isSingle }, exact];
}

function lowerDates({ readers }: SearchContext, { parameter, values }: Of<'date'>): Condition {
  const keys = parameter.paths.map((path) => readers.hash(keyText.dates(path.name)));
  const types = parameter.paths.flatMap((path) => path.types);
  const ranges = values.flatMap((value) => dateRanges(value.prefix, value));
  return {
    kind: 'ranges',
    table: 'date_index',
    alternatives: [{ keys, ranges }],
    isSingle: isSinglePath(parameter),
    isOrd: parameter.paths.every((path) => path.isOrd),
    spanMs: spanMsMax(types),
    isDay: types.every((type) => type === 'date') && ranges.every(isOneDay),
  };
}

const dayMsMax = 36 * 3_600_000;

/** Bounded on both sides, by what a day has in any zone. */
function isOneDay(range: Range): boolean {
  const values = (sign: string) => range.filter(({ operator }) => operator.startsWith(sign)).map(({ value }) => value);
  return Math.min(Infinity, ...values('<')) - Math.max(-Infinity, ...values('>')) <= dayMsMax;
}

function lowerNumbers({ readers }: SearchContext, { parameter, values }: Of<'number'>): Condition {
  const alternatives = values.map(({ unit, prefix, ...number }) => {
    const ranges: readonly Range[] = numberRanges(prefix, number);
    if (unit === undefined) return { keys: parameter.paths.map(({ row }) => readers.hash(row)), ranges };
    const { code, convert } = comparableUnit(readers.units, unit.system, unit.code);
    return {
      keys: parameter.paths.map(({ name }) => readers.hash(keyText.quantities(name, unit.system, code))),
      ranges: ranges.map((range) => range.map((bound) => ({ ...bound, value: convert(bound.value) }))),
    };
  });
  return {
    kind: 'ranges',
    table: 'number_index',
    alternatives,
    isSingle: isSinglePath(parameter),
    isOrd: false,
    spanMs: undefined,
    isDay: false,
  };
}

function isSinglePath({ paths }: SearchParameter): boolean {
  return paths.length === 1 && paths[0]?.isSingle === true;
}

function lowerChain(context: SearchContext, { parameter, types, of }: ChainCriterion, rewriteInner: Lower): Condition {
  const isByPatient = types.join() === 'Patient' && isInCompartment(context, parameter);
  return { kind: 'chain', prefixes: prefixesOf(parameter), types, of: rewriteInner(of), isByPatient };
}

/** Every patient referred to by the parameter is among the resource's `patients`. */
function isInCompartment(context: SearchContext, { paths }: SearchParameter): boolean {
  return paths.every(({ resourceType, name }) =>
    context.parameters(resourceType).compartment.some((path) => path.name === name),
  );
}

function lowerHas(context: SearchContext, criterion: HasCriterion, rewriteInner: Lower): Condition {
  const { parameter, type, targets, of } = criterion;
  const isByPatient = targets.join() === 'Patient' && isInCompartment(context, parameter);
  return { kind: 'has', prefixes: prefixesOf(parameter), type, targets, of: rewriteInner(of), isByPatient };
}

function prefixesOf({ paths }: SearchParameter): readonly string[] {
  return paths.map((path) => keyText.referencePrefix(path.name));
}
