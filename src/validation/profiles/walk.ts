/**
 * One way through a resource, everything in it looked at once: the rest of base R4, extensions, claims of profiles,
 * national identifiers. For each type it is made out once where in it there can be anything to look at
 * (`route.ts`): most of an instance is passed by, since the schema has said all there is to say of it.
 */
import { isObject, type Members } from '../../fhir/index.ts';
import { type Access, indexStep, type Item, itemType } from './items.ts';
import { judgeExtension } from './extensions.ts';
import { judgeResponse } from '../questionnaire/response.ts';
import { addFault, type ProfileJudge } from './judge.ts';
import type { Route, Routes, Turn } from './route.ts';
import { profileFaultsMax, type Run } from './run.ts';
import { faultTexts } from './texts.ts';

export interface Walk {
  readonly judge: ProfileJudge;
  readonly routes: Routes;
  /** Whether `meta.profile` and extensions are looked at. */
  readonly checksClaims: boolean;
  /** Profiles that resources of a type must claim. */
  readonly required: ReadonlyMap<string, readonly string[]>;
}

const depthMax = 200;

export function walk(of: Walk, item: Item, run: Run, depth = 0): void {
  if (run.faults.length >= profileFaultsMax || depth > depthMax) return;
  const route = of.routes(item.type);
  for (const check of route.checks) check(item, run);
  if (of.checksClaims) {
    if (item.type === 'Extension') judgeExtension(of.judge, item, run);
    else if (route.isResource && isObject(item.value)) judgeClaims(of, item, run);
    if (item.type === 'QuestionnaireResponse') judgeResponse(of.judge, item, run);
  }
  if (isObject(item.value)) walkInto({ of, run, depth: depth + 1 }, item, item.value, route);
  else if (isObject(item.beside)) walkInto({ of, run, depth: depth + 1 }, item, item.beside, route);
}

interface Going {
  readonly of: Walk;
  readonly run: Run;
  readonly depth: number;
}

function walkInto(going: Going, parent: Item, members: Members, route: Route): void {
  for (const json in members) {
    const turn = route.turns.get(json);
    if (turn === undefined || members[json] === undefined) continue;
    // Of a primitive and the element beside it, the primitive leads where both are there and it is looked at.
    if (turn.isBeside && turn.isLed && members[turn.json] !== undefined) continue;
    takeTurn(going, parent, turn, members);
  }
}

function takeTurn(going: Going, parent: Item, turn: Turn, members: Members): void {
  const value = members[turn.json];
  const beside = turn.besideJson === undefined ? undefined : members[turn.besideJson];
  if (!Array.isArray(value) && !Array.isArray(beside)) {
    visit(going, turn, {
      value,
      beside,
      type: itemType(turn.type, value),
      name: turn.name,
      parent,
      step: turn.step,
    });
    return;
  }
  const values: readonly unknown[] = Array.isArray(value) ? value : none;
  const besides: readonly unknown[] = Array.isArray(beside) ? beside : none;
  const length = Math.max(values.length, besides.length);
  for (let index = 0; index < length; index++)
    visit(going, turn, {
      value: values[index] ?? undefined,
      beside: besides[index] ?? undefined,
      type: itemType(turn.type, values[index]),
      name: turn.name,
      parent,
      step: indexStep(turn.step, index),
    });
}

const none: readonly never[] = [];

function visit({ of, run, depth }: Going, turn: Turn, item: Item): void {
  walk(of, item, run, depth);
  for (const check of turn.checks) check(item, run);
}

function judgeClaims({ judge, required }: Walk, item: Item, run: Run): void {
  const asked = required.get(item.type);
  const meta = (item.value as Members)['meta'];
  if (asked === undefined && (!isObject(meta) || meta['profile'] === undefined)) return;
  const claimed = claimsOf(judge.access, item);
  for (const claim of claimed) {
    const canonical = String(claim.value);
    if (!judge.isLoaded(canonical))
      addFault(run, claim, { severity: 'warning', code: 'not-supported', ...faultTexts.profileUnknown(canonical) });
    else judge.judge(item, canonical, run);
  }
  if (asked !== undefined && item.name !== 'contained') judgeRequired(judge, { item, claimed, asked }, run);
}

interface Requirement {
  readonly item: Item;
  readonly claimed: readonly Item[];
  readonly asked: readonly string[];
}

function judgeRequired(judge: ProfileJudge, { item, claimed, asked }: Requirement, run: Run): void {
  const urls = new Set(claimed.map(({ value }) => String(value).split('|')[0]));
  const missing = asked.filter((canonical) => !urls.has(canonical.split('|')[0]));
  for (const canonical of missing) {
    if (judge.tree(canonical) !== undefined) judge.judge(item, canonical, run);
    else addFault(run, item, { severity: 'error', code: 'not-supported', ...faultTexts.profileMissing(canonical) });
  }
}

function claimsOf(access: Access, item: Item): readonly Item[] {
  const [meta] = access.children(item, 'meta');
  const claims = meta === undefined ? [] : access.children(meta, 'profile');
  return claims.filter(({ value }) => typeof value === 'string');
}
