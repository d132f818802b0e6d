/** One way through a resource, everything in it looked at once: the rest of base R4, extensions, claims of profiles. */
import { type Access, isObject, type Item } from './items.ts';
import { type BaseRest } from './rest.ts';
import { judgeExtension } from './extensions.ts';
import { addFault, type ProfileJudge } from './judge.ts';
import { profileFaultsMax, type Run } from './run.ts';
import { faultTexts } from './texts.ts';

export interface Walk {
  readonly judge: ProfileJudge;
  readonly rest: BaseRest;
  /** Whether `meta.profile` and extensions are looked at. */
  readonly checksClaims: boolean;
  /** Profiles that resources of a type must claim. */
  readonly required: ReadonlyMap<string, readonly string[]>;
}

const depthMax = 200;

export function walk(of: Walk, item: Item, run: Run, depth = 0): void {
  if (run.faults.length >= profileFaultsMax || depth > depthMax) return;
  of.rest.judge(item, run);
  if (of.checksClaims) {
    if (item.type === 'Extension') judgeExtension(of.judge, item, run);
    else if (isObject(item.value) && 'resourceType' in item.value) judgeClaims(of, item, run);
  }
  if (!isObject(item.value) && !isObject(item.beside)) return;
  for (const child of of.judge.access.all(item)) walk(of, child, run, depth + 1);
}

function judgeClaims({ judge, required }: Walk, item: Item, run: Run): void {
  const claimed = claimsOf(judge.access, item);
  const asked = required.get(item.type) ?? [];
  for (const claim of claimed) {
    const canonical = String(claim.value);
    const tree = judge.tree(canonical);
    if (tree === undefined)
      addFault(run, claim, { severity: 'warning', code: 'not-supported', ...faultTexts.profileUnknown(canonical) });
    else judge.judge(item, canonical, run);
  }
  if (asked.length === 0 || item.name === 'contained') return;
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
