/**
 * npm run mutants -- [--patients N] [--rule RUP-01] [--survivors FILE]
 *
 * Does a rule's own proof notice when the rule is wrong? Each rule is changed in one place (its delay a unit longer or shorter, another
 * calendar, `exists` turned over, a `not` left out, `and` for `or`, a code exchanged, a condition, `metAt`, an inhibition or a part of a
 * query dropped) and judged by its own fixtures. What they let pass is lived through by the simulation (`--patients 0` leaves that out).
 * Prints a table by rule, writes what survived both; ends with 1 when a rule without change fails its fixtures.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPlaces, createQueryCheck, createSelect, examineRuleSet } from '../../src/breaks/index.ts';
import { readDefinitions } from '../../src/fhir/definitions.ts';
import type { Resource } from '../../src/fhir/index.ts';
import { createSearchContext } from '../../src/search/index.ts';
import { createSimulator } from './simulate.ts';

const { values: options } = parseArgs({
  options: {
    patients: { type: 'string', default: '60' },
    rule: { type: 'string' },
    survivors: { type: 'string', default: 'dist/mutants-survived.json' },
  },
});

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Node = { [name: string]: Json };

const folder = 'profiles/rules';
const zone = 'Europe/Paris';
const definitions = readDefinitions(
  JSON.parse(readFileSync('generated/definitions.json', 'utf8')) as Parameters<typeof readDefinitions>[0],
);
const search = createSearchContext({ definitions, zone, baseUrl: 'http://127.0.0.1:8080/fhir' });
const setting = {
  definitions,
  checkQuery: createQueryCheck(search),
  select: createSelect(search),
  places: createPlaces(zone),
};
const ruleSets = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Node);

interface Mutant {
  readonly rule: string;
  readonly action: string;
  readonly what: string;
  readonly ruleSet: Node;
}

/** A change at one place of an action; answers whether there was anything to change. */
interface Change {
  readonly what: string;
  readonly apply: (action: Node) => void;
}

const list = (node: Json | undefined): Node[] => (Array.isArray(node) ? (node as Node[]) : []);
const word = (node: Json | undefined): string => (typeof node === 'string' ? node : '');

function deadlineParts(action: Node): Node[] {
  return list(action['extension']).flatMap((one) => list(one['extension']));
}

/** Each text that is what `pattern` finds, once with each finding replaced. */
function replacements(
  text: string,
  pattern: RegExp,
  by: (found: string) => string,
): readonly (readonly [string, string])[] {
  return [...text.matchAll(pattern)].map((match) => {
    const end = match.index + match[0].length;
    return [`${match[0]} at ${match.index}`, text.slice(0, match.index) + by(match[0]) + text.slice(end)] as const;
  });
}

const operators: readonly (readonly [RegExp, (found: string) => string])[] = [
  [/\.exists\(\)/g, () => '.empty()'],
  [/\.empty\(\)/g, () => '.exists()'],
  [/\.not\(\)/g, () => ''],
  [/ and /g, () => ' or '],
  [/ or /g, () => ' and '],
  [/'[a-zA-Z0-9-]{2,}'/g, () => "'x-mutant'"],
  [/ (?:<=|>=|<|>) /g, (found) => (found.includes('<') ? ' > ' : ' < ')],
];

function expressionChanges(label: string, of: (action: Node) => Node | undefined, action: Node): Change[] {
  const text = of(action)?.['expression'];
  if (typeof text !== 'string') return [];
  return operators.flatMap(([pattern, by]) =>
    replacements(text, pattern, by).map(
      ([where, changed]): Change => ({
        what: `${label}: ${where}`,
        apply: (copy) => {
          const expression = of(copy);
          if (expression !== undefined) expression['expression'] = changed;
        },
      }),
    ),
  );
}

function conditionChanges(action: Node): Change[] {
  return list(action['condition']).flatMap(({ kind }) => {
    const of = (one: Node): Node | undefined =>
      list(one['condition']).find((condition) => condition['kind'] === kind)?.['expression'] as Node | undefined;
    const fixed = kind === 'applicability' ? 'true' : kind === 'stop' ? 'false' : undefined;
    const dropped: Change[] =
      fixed === undefined
        ? []
        : [
            {
              what: `${word(kind)} dropped`,
              apply: (copy) => void Object.assign(of(copy) ?? {}, { expression: fixed }),
            },
          ];
    return [...dropped, ...expressionChanges(word(kind), of, action)];
  });
}

function delayChanges(action: Node): Change[] {
  const names = deadlineParts(action).flatMap(({ url, valueDuration }) =>
    valueDuration === undefined ? [] : [word(url)],
  );
  return ['delay', 'window']
    .filter((name) => names.includes(name))
    .flatMap((name) =>
      [1, -1].map(
        (by): Change => ({
          what: `${name} ${by > 0 ? '+' : ''}${by}`,
          apply: (copy) => {
            const duration = deadlineParts(copy).find(({ url }) => url === name)?.['valueDuration'] as Node | undefined;
            if (duration !== undefined) duration['value'] = Number(duration['value']) + by;
          },
        }),
      ),
    );
}

const otherCalendar: Readonly<Record<string, string>> = {
  'working-days': 'calendar-days',
  'calendar-days': 'working-days',
  'end-of-day': 'calendar-days',
  hours: 'calendar-days',
};

function partChanges(action: Node): Change[] {
  const parts = deadlineParts(action);
  const drop = (name: string): Change => ({
    what: `${name} dropped`,
    apply: (copy) => {
      for (const one of list(copy['extension']))
        one['extension'] = list(one['extension']).filter(({ url }) => url !== name);
    },
  });
  const present = (name: string): boolean => parts.some(({ url }) => url === name);
  const part = (copy: Node, name: string): Node | undefined => deadlineParts(copy).find(({ url }) => url === name);
  const calendar = parts.find(({ url }) => url === 'calendar')?.['valueCode'];
  const isSame = (parts.find(({ url }) => url === 'delay')?.['valueDuration'] as Node | undefined)?.['value'] === 0;
  return [
    ...['metAt', 'inhibits', 'review'].filter(present).map(drop),
    ...(typeof calendar !== 'string' || (calendar === 'end-of-day' && isSame)
      ? []
      : [
          {
            what: `calendar ${calendar}`,
            apply: (copy: Node) =>
              void Object.assign(part(copy, 'calendar') ?? {}, { valueCode: otherCalendar[calendar] ?? 'hours' }),
          },
        ]),
    ...['anchor', 'metAt'].flatMap((name) =>
      expressionChanges(name, (one) => part(one, name)?.['valueExpression'] as Node | undefined, action),
    ),
  ];
}

function queryChanges(action: Node): Change[] {
  return list(action['input']).flatMap((input, place) => {
    const text = list(input['extension'])[0]?.['valueString'];
    if (typeof text !== 'string') return [];
    return replacements(text, /&[^&]+/g, () => '').map(
      ([where, changed]): Change => ({
        what: `input ${word(input['id'])}: ${where}`,
        apply: (copy) =>
          void Object.assign(list(list(copy['input'])[place]?.['extension'])[0] ?? {}, { valueString: changed }),
      }),
    );
  });
}

function mutantsOf(ruleSet: Node, action: Node): Mutant[] {
  const changes = [
    ...delayChanges(action),
    ...conditionChanges(action),
    ...partChanges(action),
    ...queryChanges(action),
  ];
  return changes.map(({ what, apply }) => {
    const copy = structuredClone(ruleSet);
    const own = list(copy['action']).find(({ id }) => id === action['id']);
    if (own !== undefined) apply(own);
    return { rule: word(action['prefix'] ?? action['id']), action: word(action['id']), what, ruleSet: copy };
  });
}

/** Only the action and its fixtures: the others say nothing of it. */
function alone(ruleSet: Node, action: string, rule: string): Resource {
  const isOfRule = (one: Node): boolean => list(one['parameter']).some(({ valueCode }) => valueCode === rule);
  return {
    ...ruleSet,
    action: list(ruleSet['action']).filter(({ id, prefix }) => id === action || (prefix ?? id) === rule),
    contained: list(ruleSet['contained']).filter(isOfRule),
  } as unknown as Resource;
}

/** What says so: fixtures that fail, or a fault that is found when the rule set is put. */
function isKilledByFixtures({ ruleSet, action, rule }: Mutant): boolean {
  return examineRuleSet(alone(ruleSet, action, rule), setting).issues.some(({ severity }) => severity === 'error');
}

async function isKilledBySimulation(mutant: Mutant, patients: number): Promise<boolean> {
  const sets = ruleSets.map((one) =>
    one['id'] === mutant.ruleSet['id'] ? mutant.ruleSet : one,
  ) as unknown as Resource[];
  const simulator = createSimulator(sets, definitions);
  for (let number = 0; number < patients; number++) {
    const { differences } = await simulator.simulate({ number, seed: 11, days: 365 });
    if (differences.length > 0) return true;
  }
  return false;
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function tryRule(ruleSet: Node, action: Node): Promise<void> {
  const rule = word(action['prefix'] ?? action['id']);
  if (options.rule !== undefined && options.rule !== rule) return;
  if (isKilledByFixtures({ rule, action: word(action['id']), what: 'none', ruleSet })) {
    isSound = false;
    tell(`${rule}: fails its fixtures without any change`);
  }
  const mutants = mutantsOf(ruleSet, action);
  const left = mutants.filter((mutant) => !isKilledByFixtures(mutant));
  const survived: Mutant[] = [];
  for (const mutant of left) if (!(await isKilledBySimulation(mutant, patients))) survived.push(mutant);
  survivors.push(...survived.map(({ what }) => ({ rule, what })));
  const figures = [mutants.length, mutants.length - left.length, left.length - survived.length, survived.length];
  tell(rule.padEnd(8) + figures.map((figure) => String(figure).padStart(11)).join(''));
}

const patients = Number(options.patients);
const survivors: { rule: string; what: string }[] = [];
let isSound = true;
tell('rule      mutants  by fixtures  by simulation  survive');
for (const ruleSet of ruleSets) {
  for (const action of list(ruleSet['action'])) await tryRule(ruleSet, action);
}
writeFileSync(options.survivors, JSON.stringify(survivors, null, 2));
tell(`${survivors.length} survive, in ${options.survivors}`);
process.exitCode = isSound ? 0 : 1;
