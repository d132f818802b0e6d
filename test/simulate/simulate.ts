/**
 * Truth by simulation: a model that reads no rule lives pathways, knows their breaks, and sends them as FHIR with delays,
 * duplicates, out of order, corrected; the engine (judge, plan, states, in memory: src/breaks/replay.ts) must open and
 * close exactly the true breaks, each at its instant.
 */
import { createReplay, type ReplayedMove } from '../../src/breaks/replay.ts';
import { bindBook, type RuleBook } from '../../src/breaks/rule-book.ts';
import { createPlaces } from '../../src/breaks/sites.ts';
import { createQueryCheck, createSelect } from '../../src/breaks/select.ts';
import type { Definitions, Resource } from '../../src/fhir/index.ts';
import { isRuleSet, readRuleSet } from '../../src/rules/index.ts';
import { createSearchContext } from '../../src/search/index.ts';
import { type Situation, situations } from './situations/index.ts';
import { dayMs, text } from './time.ts';
import { type TrueBreak, trueBreaks } from './truth.ts';
import { createWorld, mayDie, type World } from './world.ts';

export const simulationFromMs = Date.parse('2026-01-05T00:00:00+01:00');

export interface Simulator {
  readonly rules: ReadonlySet<string>;
  /** Situations of which every rule is there. */
  readonly situations: readonly Situation[];
  simulate(of: { readonly number: number; readonly seed: number; readonly days: number }): Promise<Simulated>;
}

export interface Simulated {
  readonly trueBreaks: readonly TrueBreak[];
  /** Those of them that the engine opened and closed at their instants. */
  readonly found: readonly TrueBreak[];
  readonly differences: readonly Difference[];
  readonly expectations: readonly { readonly rule: string }[];
}

export interface Difference {
  readonly patient: string;
  /** `late`: found, but opened or closed at another instant, or for another reason. */
  readonly kind: 'missing' | 'false' | 'late' | 'error';
  readonly rule: string;
  readonly text: string;
  /** What was sent, for whoever looks into it. */
  readonly arrivals?: readonly string[];
}

export function createSimulator(ruleSets: readonly Resource[], definitions: Definitions): Simulator {
  const search = createSearchContext({ definitions, zone: 'Europe/Paris', baseUrl: 'http://simulation/fhir' });
  const setting = { definitions, checkQuery: createQueryCheck(search) };
  const book = bindBook(
    ruleSets.filter(isRuleSet).map((resource) => {
      const reading = readRuleSet(resource, setting);
      if (reading.kind === 'faults') throw new Error(JSON.stringify(reading.issues.slice(0, 3)));
      return { reference: `PlanDefinition/${resource.id}`, ruleSet: reading.ruleSet };
    }),
  );
  const rules = new Set(book.ruleSets.flatMap(({ rules: own }) => own.map(({ code }) => code)));
  const told = situations.filter((one) => one.rules.every((rule) => rules.has(rule)));
  const context = { book, select: createSelect(search), places: createPlaces('Europe/Paris') };
  return {
    rules,
    situations: told,
    async simulate({ number, seed, days }) {
      const world = createWorld({ number, seed, fromMs: simulationFromMs, days });
      told[number % told.length]?.tell(world);
      mayDie(world);
      return compare(world, rules, await replay(world, context));
    },
  };
}

interface Context {
  readonly book: RuleBook;
  readonly select: ReturnType<typeof createSelect>;
  readonly places: ReturnType<typeof createPlaces>;
}

interface Replayed {
  readonly untilMs: number;
  readonly moves: readonly ReplayedMove[];
  readonly errors: ReadonlyMap<string, number>;
}

async function replay(world: World, context: Context): Promise<Replayed> {
  const day30 = 30 * dayMs;
  const engine = createReplay({
    ...context,
    patient: world.patient,
    lateKnowledgeMs: day30,
    proofAwaitedMs: 3 * dayMs,
  });
  const arrivals = [...world.arrivals].sort((a, b) => a.atMs - b.atMs);
  for (const { atMs, changes } of arrivals) {
    await engine.advanceTo(atMs);
    await engine.write(changes, atMs);
  }
  const untilMs = (arrivals.at(-1)?.atMs ?? 0) + 120 * dayMs;
  await engine.advanceTo(untilMs);
  return { untilMs, moves: engine.moves, errors: engine.errors };
}

function compare(world: World, rules: ReadonlySet<string>, { untilMs, moves, errors }: Replayed): Simulated {
  const truth = trueBreaks(world.expected, untilMs, world.deathKnownMs).filter(({ rule }) => rules.has(rule));
  const seen = intervals(moves);
  const [wanted, there] = [linesOf(truth), linesOf(seen)];
  const arrivals = world.arrivals.map(({ atMs, changes }) => `${text(atMs)} ${JSON.stringify(changes)}`).sort();
  const head = { patient: world.id, arrivals };
  const missing = truth.filter((one) => !there.has(lineOf(one)));
  const wrong = seen.filter((one) => !wanted.has(lineOf(one)));
  const differences: Difference[] = [
    ...pair(missing, wrong).map((difference) => ({ ...head, ...difference })),
    ...[...errors].map(([line]) => ({ ...head, kind: 'error' as const, rule: line.split(' ')[0] ?? '', text: line })),
  ];
  const found = truth.filter((one) => there.has(lineOf(one)));
  return { trueBreaks: truth, found, differences, expectations: world.expected };
}

/** What was missed and what was seen of the same rule and focus is one break at a wrong instant. */
function pair(
  missing: readonly TrueBreak[],
  wrong: readonly TrueBreak[],
): readonly Pick<Difference, 'kind' | 'rule' | 'text'>[] {
  const left = [...wrong];
  const told = missing.map((one) => {
    const at = left.findIndex(({ rule, focus }) => rule === one.rule && focus === one.focus);
    const [other] = at === -1 ? [] : left.splice(at, 1);
    const kind = other === undefined ? ('missing' as const) : ('late' as const);
    const instead = other === undefined ? '' : `; found: ${lineOf(other)}`;
    return { kind, rule: one.rule, text: lineOf(one) + instead };
  });
  return [...told, ...left.map((one) => ({ kind: 'false' as const, rule: one.rule, text: lineOf(one) }))];
}

const linesOf = (breaks: readonly TrueBreak[]) => new Set(breaks.map(lineOf));

function lineOf({ rule, focus, openedMs, closedMs, how }: TrueBreak): string {
  const closed = closedMs === undefined ? 'still open' : `closed ${text(closedMs)} ${how}`;
  return `${rule} ${focus} opened ${text(openedMs)} ${closed}`;
}

/** From the moves of the engine to openings and closings, as the model tells them. */
function intervals(moves: readonly ReplayedMove[]): readonly TrueBreak[] {
  const open = new Map<string, TrueBreak>();
  const ended: TrueBreak[] = [];
  for (const { atMs, rule, key, from, to, reason } of moves) {
    const focus = key.split(':').slice(2).join(':');
    if (to === 'open') {
      open.set(key, { rule, focus, openedMs: atMs, closedMs: undefined, how: undefined });
      continue;
    }
    const before = open.get(key);
    const how = to === 'moot' ? 'gone' : reason === 'met-in-time-known-late' ? 'met-in-time-known-late' : 'late';
    if (before !== undefined) ended.push({ ...before, closedMs: atMs, how });
    else if (from === undefined && to === 'auto-closed')
      ended.push({ rule, focus, openedMs: atMs, closedMs: atMs, how });
    open.delete(key);
  }
  return [...ended, ...open.values()];
}
