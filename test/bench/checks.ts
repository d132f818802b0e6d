/** Before anything is measured: searches whose answers are known from the generated data. A fast wrong answer is no answer. */
import type { Resource } from '../../src/fhir/resource.ts';
import { type Bundle, sendOrFail } from './client.ts';
import { dayBefore, type World } from './operations.ts';
import { insSystem } from './territory.ts';

interface Check {
  readonly query: string;
  readonly matches: (resource: Resource) => boolean;
}

const idsMax = 1000;
const pagesMax = 200;

/** What is wrong, in sentences; empty when all is as it should be. */
export async function checkSearches(world: World): Promise<readonly string[]> {
  const { territory } = world;
  const all = [...territory.shared, ...territory.people.flatMap((_person, n) => territory.pathway(n))];
  const faults: string[] = [];
  for (const { query, matches } of checks(world)) {
    const type = query.slice(0, query.indexOf('?'));
    const expected = all.filter((one) => one.resourceType === type && matches(one)).map(({ id }) => id ?? '');
    const fault = await checkOne(world, query, expected);
    if (fault !== undefined) faults.push(`${query} ${fault}`);
  }
  return [...faults, ...(await checkPaging(world, all))];
}

function checks({ territory }: World): readonly Check[] {
  const [person] = territory.people;
  if (person === undefined) return [];
  const { id, ins, family, birthDate } = person;
  const day = dayBefore(territory, 60);
  const ofPatient = (one: Resource) => referenceOf(one['subject']) === `Patient/${id}`;
  const hasCode = (one: Resource, code: string) => JSON.stringify(one['code'] ?? '').includes(`"${code}"`);
  const heartRates = new Set(
    territory.people.flatMap((one, n) =>
      territory.pathway(n).some((each) => hasCode(each, '2857-1')) ? [one.id] : [],
    ),
  );
  return [
    { query: `Patient?identifier=${insSystem}|${ins}`, matches: (one) => JSON.stringify(one).includes(ins) },
    { query: `Observation?patient=Patient/${id}`, matches: ofPatient },
    { query: `Observation?code=http://loinc.org|718-7`, matches: (one) => hasCode(one, '718-7') },
    {
      query: `Observation?code=http://loinc.org|718-7&date=ge${day}`,
      matches: (one) => hasCode(one, '718-7') && String(one['effectiveDateTime']) >= day,
    },
    {
      query: `Patient?name=${encodeURIComponent(fold(family).slice(0, 4))}`,
      matches: (one) => names(one).some((name) => fold(name).startsWith(fold(family).slice(0, 4))),
    },
    { query: `Patient?birthdate=${birthDate}`, matches: (one) => one['birthDate'] === birthDate },
    {
      query: `Encounter?patient.identifier=${insSystem}|${ins}&status=finished`,
      matches: (one) => ofPatient(one) && one['status'] === 'finished',
    },
    {
      query: `Patient?_has:Observation:patient:code=http://loinc.org|2857-1`,
      matches: (one) => heartRates.has(one.id ?? ''),
    },
    {
      query: `Encounter?class=AMB&status=finished`,
      matches: (one) => (one['class'] as { code?: string }).code === 'AMB',
    },
    {
      query: `Appointment?date=ge${dayBefore(territory, 0)}`,
      matches: (one) => String(one['start']) >= dayBefore(territory, 0),
    },
  ]; // prettier-ignore
}

async function checkOne(
  { origin, basePath }: World,
  query: string,
  expected: readonly string[],
): Promise<string | undefined> {
  const path = `${basePath}/${query.replaceAll('|', '%7C')}&_total=accurate&_count=${idsMax}`;
  const bundle = JSON.parse(await sendOrFail(origin, { method: 'GET', path })) as Bundle;
  if (bundle.total !== expected.length) return `counts ${bundle.total ?? 'nothing'}, expected ${expected.length}`;
  if (expected.length > idsMax) return undefined;
  const found = new Set(bundle.entry?.map(({ resource }) => resource?.id ?? ''));
  const missing = expected.filter((id) => !found.has(id));
  if (missing.length === 0 && found.size === expected.length) return undefined;
  return `gives ${found.size} resources, of the expected ${expected.length} ${missing.length} are missing`;
}

/** Along all pages: each match once, newest first. */
async function checkPaging({ origin, basePath }: World, all: readonly Resource[]): Promise<readonly string[]> {
  const query = 'Encounter?status=in-progress&_sort=-date&_count=10';
  const expected = all.filter((one) => one.resourceType === 'Encounter' && one['status'] === 'in-progress').length;
  const found: Resource[] = [];
  let path = `${basePath}/${query}`;
  for (let page = 0; page < pagesMax; page++) {
    const bundle = JSON.parse(await sendOrFail(origin, { method: 'GET', path })) as Bundle;
    found.push(...(bundle.entry ?? []).flatMap(({ resource }) => resource ?? []));
    const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
    if (next === undefined) break;
    const url = new URL(next);
    path = url.pathname + url.search;
  }
  const starts = found.map((one) => (one['period'] as { start?: string } | undefined)?.start ?? '');
  const isSorted = starts.every((start, at) => at === 0 || start <= (starts[at - 1] ?? ''));
  const distinct = new Set(found.map(({ id }) => id)).size;
  return [
    ...(distinct === Math.min(expected, pagesMax * 10) && found.length === distinct
      ? []
      : [`${query} gives ${found.length} resources on its pages, ${distinct} distinct, expected ${expected}`]),
    ...(isSorted ? [] : [`${query} is not in the order that was asked`]),
  ];
}

function referenceOf(value: unknown): string | undefined {
  return (value as { reference?: string } | undefined)?.reference;
}

function names(one: Resource): readonly string[] {
  const [name] = (one['name'] ?? []) as readonly { family?: string; given?: readonly string[] }[];
  return [name?.family ?? '', ...(name?.given ?? [])];
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
