/**
 * Delays and windows that somebody has set for a plan, a pathway, a site or a territory, in place of those of the rules
 * (decision 0015). Each is a Basic of code `rule-parameters` with the extension `rule-parameters`:
 *
 *     level       plan | pathway | site | territory; the nearest to the patient counts
 *     pathway     of level pathway: a category of the care plan
 *     area*       of level territory: how the INSEE or postal code of the patient's home begins
 *     parameter*  name and value (a Duration)
 *     subject     of the Basic: the CarePlan of level plan, the Organization of level site
 */
import type { Basic, Coding, Extension } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import { referenceKey, type Resource } from '../fhir/index.ts';
import { canCount, daysOf, type Delay, readDelay } from './calendar.ts';
import { createFaults, type Faults } from './reading.ts';
import type { Rule } from './rule.ts';

export interface Override {
  /** `Basic/x/_history/3` */
  readonly source: string;
  readonly level: Level;
  /** The plan or site; undefined for the other levels. */
  readonly subject: string | undefined;
  readonly pathway: Coding | undefined;
  readonly areas: readonly string[];
  readonly delays: Readonly<Record<string, Delay>>;
}

/** A delay that was set, and where. */
export interface SetDelay extends Delay {
  readonly source: string;
}

/** From the widest to the nearest. */
const levels = ['territory', 'site', 'pathway', 'plan'] as const;
type Level = (typeof levels)[number];

const noteSystem = 'https://suture.example/fhir/CodeSystem/record-note';
const parametersUrl = 'https://suture.example/fhir/StructureDefinition/rule-parameters';

export function isOverride(resource: Resource | undefined): boolean {
  if (resource?.resourceType !== 'Basic') return false;
  const { coding = [] } = (resource as unknown as Basic).code;
  return coding.some(({ system, code }) => system === noteSystem && code === 'rule-parameters');
}

export type OverrideReading =
  | { readonly kind: 'ok'; readonly override: Override }
  | { readonly kind: 'faults'; readonly issues: readonly Issue[] };

export function readOverride(resource: Resource): OverrideReading {
  const faults = createFaults();
  const all = ((resource as unknown as Basic).extension ?? []).filter(({ url }) => url === parametersUrl);
  const parts = all[0]?.extension ?? [];
  if (all.length !== 1) faults.add('Basic.extension', `there is one extension ${parametersUrl}`, 'required');
  const level = levels.find((one) => one === valueOf(parts, 'level')?.valueCode);
  const subject = referenceKey((resource as unknown as Basic).subject);
  const pathway = valueOf(parts, 'pathway')?.valueCoding;
  const areas = parts.flatMap(({ url, valueString }) => (url === 'area' && valueString ? [valueString] : []));
  const delays = readDelays(parts, faults);
  if (level === undefined) faults.add('Basic.extension', `the level is one of ${levels.join(', ')}`, 'required');
  else checkScope({ level, subject, pathway, areas }, faults);
  if (level === undefined || faults.issues.length > 0) return { kind: 'faults', issues: faults.issues };
  const source = `Basic/${resource.id ?? ''}/_history/${resource.meta?.versionId ?? '1'}`;
  return { kind: 'ok', override: { source, level, subject, pathway, areas, delays } };
}

function valueOf(parts: readonly Extension[], url: string): Extension | undefined {
  return parts.find((part) => part.url === url);
}

type Scope = Pick<Override, 'level' | 'subject' | 'pathway' | 'areas'>;

function checkScope({ level, subject, pathway, areas }: Scope, faults: Faults): void {
  const isSubjectOf = (type: string): boolean => subject?.startsWith(`${type}/`) === true;
  if (level === 'plan' && !isSubjectOf('CarePlan'))
    faults.add('Basic.subject', 'of the level plan the subject is a CarePlan', 'required');
  if (level === 'site' && !isSubjectOf('Organization'))
    faults.add('Basic.subject', 'of the level site the subject is an Organization', 'required');
  if (level === 'pathway' && pathway?.code === undefined)
    faults.add('Basic.extension', 'of the level pathway there is a pathway, a Coding', 'required');
  if (level === 'territory' && areas.length === 0)
    faults.add('Basic.extension', 'of the level territory there is an area', 'required');
}

function readDelays(parts: readonly Extension[], faults: Faults): Readonly<Record<string, Delay>> {
  const written = parts.filter(({ url }) => url === 'parameter');
  if (written.length === 0) faults.add('Basic.extension', 'no parameter is set', 'required');
  const pairs = written.flatMap(({ extension = [] }): [string, Delay][] => {
    const name = valueOf(extension, 'name')?.valueString;
    const { value, code, unit } = valueOf(extension, 'value')?.valueDuration ?? {};
    const delay = readDelay(value, code ?? unit);
    if (name === undefined || delay === undefined)
      faults.add('Basic.extension', 'a parameter has a name, and a value in min, h, d, wk, mo or a');
    return name === undefined || delay === undefined ? [] : [[name, delay]];
  });
  return Object.fromEntries(pairs);
}

/** What the rules in force cannot use: names that none of them has, units that the calendar does not count. */
export function findOverrideFaults({ delays }: Override, rules: readonly Rule[]): readonly Issue[] {
  const faults = createFaults();
  for (const [name, delay] of Object.entries(delays)) {
    const waiting = rules.filter(({ deadline }) => deadline?.parameter === name);
    const looking = rules.filter(({ window }) => window?.parameter === name);
    if (waiting.length + looking.length === 0)
      faults.add('Basic.extension', `no rule in force has the parameter ${name}`, 'not-found');
    const isCounted =
      waiting.every(({ deadline }) => deadline !== undefined && canCount(deadline.calendar, delay.unit)) &&
      (looking.length === 0 || daysOf(delay) !== undefined);
    if (!isCounted) faults.add('Basic.extension', `the parameter ${name} is not counted in "${delay.unit}"`);
  }
  return faults.issues;
}

/** Where a focus stands. */
export interface Standing {
  readonly plan: Resource | undefined;
  /** `Organization/id` */
  readonly site: string | undefined;
  readonly patient: Resource | undefined;
}

/** By name. Of two of the same level the later one counts, of two territories the smaller one. */
export function parametersAt(
  overrides: readonly Override[],
  standing: Standing,
): Readonly<Record<string, SetDelay>> | undefined {
  const matching = overrides.filter((override) => isAt(override, standing));
  if (matching.length === 0) return undefined;
  const set: Record<string, SetDelay> = {};
  for (const { delays, source } of [...matching].sort((a, b) => rankOf(a, standing) - rankOf(b, standing))) {
    for (const [name, delay] of Object.entries(delays)) set[name] = { ...delay, source };
  }
  return set;
}

function isAt({ level, subject, pathway, areas }: Override, { plan, site, patient }: Standing): boolean {
  switch (level) {
    case 'plan':
      return plan !== undefined && subject === `CarePlan/${plan.id ?? ''}`;
    case 'pathway':
      return codingsOf(plan).some(({ system, code }) => code === pathway?.code && system === pathway?.system);
    case 'site':
      return subject === site;
    case 'territory':
      return codesOfHome(patient).some((code) => areas.some((area) => code.startsWith(area)));
  }
}

function rankOf({ level, areas }: Override, { patient }: Standing): number {
  const codes = codesOfHome(patient);
  const longest = Math.max(
    0,
    ...areas.filter((area) => codes.some((code) => code.startsWith(area))).map((one) => one.length),
  );
  return levels.indexOf(level) * 100 + Math.min(longest, 99);
}

function codingsOf(plan: Resource | undefined): readonly Coding[] {
  const categories = (plan?.['category'] ?? []) as readonly { coding?: readonly Coding[] }[];
  return categories.flatMap(({ coding = [] }) => coding);
}

const inseeUrl = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code';

interface Address {
  readonly postalCode?: string;
  readonly extension?: readonly Extension[];
}

function codesOfHome(patient: Resource | undefined): readonly string[] {
  return ((patient?.['address'] ?? []) as readonly Address[]).flatMap(({ postalCode, extension = [] }) => [
    ...(postalCode === undefined ? [] : [postalCode]),
    ...extension.flatMap(({ url, valueCoding }) => (url === inseeUrl && valueCoding?.code ? [valueCoding.code] : [])),
  ]);
}
