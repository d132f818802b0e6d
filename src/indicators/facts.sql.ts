/** The figures of an indicator, in one statement: total and strata at once (grouping sets). */
import type { Queryable, Statement } from '../db/index.ts';
import type { Visible } from '../store/index.ts';
import { type BreakFigure, type Counting, strata, type Stratum } from './indicators.ts';

/** What the caller may see counts: judgments by their focus, breaks by their DetectedIssue. */
interface Seen {
  readonly visible: Visible;
  readonly bind: (value: unknown) => string;
}

export interface Period {
  readonly visible: Visible;
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
}

export interface Figures {
  /** Undefined: all. */
  readonly stratum: { readonly by: Stratum; readonly value: string } | undefined;
  /** How many patients are behind it. */
  readonly patients: number;
  readonly population: number;
  readonly denominator: number;
  readonly numerator: number;
  /** In time, and learned of only afterwards. */
  readonly knownLate: number;
  /** Quartiles and the ninth decile. */
  readonly percentiles: readonly [number, number, number, number] | undefined;
  readonly average: number | undefined;
}

/** Each row: patient, strata, and what it counts for. Parameters $1 to $3: from, to, now; $4: rules. */
function factsText(counting: Counting, seen: Seen): string {
  switch (counting.kind) {
    case 'share':
      return judgmentFacts(
        seen,
        `j.state in ('met', 'repaired', 'broken')`,
        `j.state = 'met'`,
        'null::double precision',
      );
    case 'delay':
      return judgmentFacts(
        seen,
        `j.state in ('met', 'repaired')`,
        'false',
        // What came before (the operation that made the diagnosis) did not keep anybody waiting.
        `case when j.state in ('met', 'repaired')
           then greatest(0, extract(epoch from j.met_at - j.anchor_at)) / 86400 end`,
      );
    case 'return':
      return judgmentFacts(
        seen,
        `j.state <> 'waiting'`,
        // By the day of the return, whenever it was learned of; one that a person rejected was none.
        `exists (select 1 from judgment r where r.patient = j.patient and r.rule = $5
           and r.state in ('broken', 'repaired', 'met')
           and r.anchor_at >= j.anchor_at and r.anchor_at < j.anchor_at + make_interval(days => $6 + 1)
           and not exists (select 1 from break b
             where b.key = r.rule || ':' || r.patient || ':' || r.focus and b.state = 'rejected'))`,
        'null::double precision',
      );
    case 'identities':
      return identityFacts(seen);
    case 'breaks':
      return breakFacts(counting.figure, seen);
  }
}

const identityStatus =
  '$.extension[*] ? (@.url == "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability")' +
  '.extension[*] ? (@.url == "identityStatus").valueCoding ? (@.code == "VALI")';
const nationalNumber =
  '$.identifier[*] ? (@.system like_regex "^urn:oid:1\\\\.2\\\\.250\\\\.1\\\\.213\\\\.1\\\\.4\\\\.(8|9|10|11)$")';

/** Patients as they are now: whoever came with a qualified identity was never expected to get one (RUP-38). */
function identityFacts({ visible, bind }: Seen): string {
  return `select 'Patient/' || r.id as patient, p.raw #>> '{managingOrganization,reference}' as site,
            null::text as pathway, null::text as rule, null::text as owner, null::text as state,
            true as is_denominator,
            jsonb_path_exists(p.raw, '${identityStatus}') and jsonb_path_exists(p.raw, '${nationalNumber}') as is_numerator,
            false as is_known_late, null::double precision as value
          from resource r cross join lateral (select r.raw::jsonb as raw) p
          where r.type = 'Patient' and not r.is_deleted and $1::timestamptz <= $2::timestamptz and $3::timestamptz is not null
            and coalesce(p.raw ->> 'active', 'true') = 'true' and ${visible('r', bind, 'stored')}`;
}

function judgmentFacts(seen: Seen, denominator: string, numerator: string, value: string): string {
  const id = `split_part(split_part(j.focus, '#', 1), '/', 2)`;
  return `select j.patient, j.site, j.pathway, j.rule, null::text as owner, null::text as state,
            ${denominator} as is_denominator, ${numerator} as is_numerator, j.is_known_late, ${value} as value
          from judgment j
          where j.rule = any ($4) and j.state <> 'cancelled' and j.anchor_at >= $1 and j.anchor_at < $2
            and $3::timestamptz is not null${seenText(seen, `split_part(j.focus, '/', 1)`, id)}`;
}

function seenText({ visible, bind }: Seen, type: string, id: string): string {
  const condition = visible('f', bind, 'stored');
  if (condition === 'true') return '';
  return `
            and exists (select from resource f where f.type = ${type} and f.id = ${id} and not f.is_deleted and ${condition})`;
}

const figures: Readonly<Record<BreakFigure, { denominator: string; numerator: string; value: string }>> = {
  'acted-on': { denominator: 'true', numerator: 'b.acknowledged_at is not null', value: 'null::double precision' },
  'hours-to-acknowledge': {
    denominator: 'b.acknowledged_at is not null',
    numerator: 'false',
    value: 'extract(epoch from b.acknowledged_at - b.opened_at) / 3600',
  },
  'hours-to-repair': {
    denominator: `b.state in ('repaired', 'auto-closed')`,
    numerator: 'false',
    value: `case when b.state in ('repaired', 'auto-closed') then extract(epoch from b.closed_at - b.opened_at) / 3600 end`,
  },
  reopened: {
    denominator: 'b.closed_at is not null or b.reopened > 0',
    numerator: 'b.reopened > 0',
    value: 'null::double precision',
  },
  'false-positive': {
    denominator: 'b.closed_at is not null',
    numerator: `b.state = 'rejected'`,
    value: 'null::double precision',
  },
  'auto-closed': {
    denominator: 'b.closed_at is not null',
    numerator: `b.state = 'auto-closed'`,
    value: 'null::double precision',
  },
  'open-by-owner': {
    denominator: 'b.closed_at is null or b.closed_at >= $2',
    numerator: 'false',
    value: 'null::double precision',
  },
};

/** The load of a period are the breaks that were open in it; all other figures are about those that opened in it. */
function breakFacts(figure: BreakFigure, seen: Seen): string {
  const { denominator, numerator, value } = figures[figure];
  const within =
    figure === 'open-by-owner'
      ? 'b.opened_at < $2 and (b.closed_at is null or b.closed_at >= $1)'
      : 'b.opened_at >= $1 and b.opened_at < $2';
  return `select b.patient, b.site, b.pathway, b.rule, coalesce(b.owner, '-') as owner, b.state,
            ${denominator} as is_denominator, ${numerator} as is_numerator, false as is_known_late, ${value} as value
          from break b
          where ${within} and $3::timestamptz is not null
            and ($4::text[] is null or b.rule = any ($4))${seenText(seen, `'DetectedIssue'`, 'b.issue_id')}`;
}

interface Row {
  readonly grouped: number;
  readonly site: string | null;
  readonly territory: string | null;
  readonly pathway: string | null;
  readonly rule: string | null;
  readonly owner: string | null;
  readonly state: string | null;
  readonly patients: number;
  readonly population: number;
  readonly denominator: number;
  readonly numerator: number;
  readonly known_late: number;
  readonly percentiles: readonly (number | null)[] | null;
  readonly average: number | null;
}

/** Bits of `grouping`, highest first; all set: the total. */
const totalBits = 2 ** strata.length - 1;

export async function readFigures(db: Queryable, counting: Counting, period: Period): Promise<readonly Figures[]> {
  const values = valuesOf(counting, period);
  const facts = factsText(counting, { visible: period.visible, bind: (value) => `$${values.push(value)}` });
  const rows = await db.query<Row>({
    text: `with fact as (${facts}),
           placed as (
             select f.*, left(r.raw::jsonb #>> '{address,0,postalCode}', 2) as territory
             from fact f left join resource r
               on r.type = 'Patient' and r.id = substr(f.patient, 9) and not r.is_deleted)
           select grouping(site, territory, pathway, rule, owner, state) as grouped,
             site, territory, pathway, rule, owner, state,
             count(*)::integer as population, count(distinct patient)::integer as patients,
             count(*) filter (where is_denominator)::integer as denominator,
             count(*) filter (where is_denominator and is_numerator)::integer as numerator,
             count(*) filter (where is_known_late)::integer as known_late,
             percentile_cont(array[0.25, 0.5, 0.75, 0.9]) within group (order by value) as percentiles,
             avg(value) as average
           from placed
           group by grouping sets ((), (site), (territory), (pathway), (rule), (owner), (state))
           order by grouped desc, site, territory, pathway, rule, owner, state`,
    values,
  });
  return rows.flatMap(toFigures);
}

function valuesOf(counting: Counting, { fromMs, toMs, nowMs }: Period): unknown[] {
  const times = [fromMs, toMs, nowMs].map((ms) => new Date(ms));
  switch (counting.kind) {
    case 'identities':
      return times;
    case 'breaks':
      return [...times, null];
    case 'return':
      return [...times, [counting.among], counting.rule, counting.days];
    case 'share':
    case 'delay':
      return [...times, counting.rules];
  }
}

function toFigures(row: Row): readonly Figures[] {
  const stratum = stratumOf(row);
  if (stratum === undefined && row.grouped !== totalBits) return [];
  return [
    {
      stratum,
      patients: row.patients,
      population: row.population,
      denominator: row.denominator,
      numerator: row.numerator,
      knownLate: row.known_late,
      percentiles: percentilesOf(row),
      average: row.average ?? undefined,
    },
  ];
}

/** Undefined for the total, and for what has no value of the stratum. */
function stratumOf(row: Row): Figures['stratum'] {
  const by = strata.find((_name, index) => row.grouped === totalBits - 2 ** (strata.length - 1 - index));
  const value = by === undefined ? null : row[by];
  return by === undefined || value === null ? undefined : { by, value };
}

function percentilesOf({ percentiles }: Row): Figures['percentiles'] {
  const [p25, p50, p75, p90] = (percentiles ?? []).map((value) => value ?? undefined);
  if (p25 === undefined || p50 === undefined || p75 === undefined || p90 === undefined) return undefined;
  return [p25, p50, p75, p90];
}

export interface Subjects {
  readonly population: readonly string[];
  readonly denominator: readonly string[];
  readonly numerator: readonly string[];
}

const subjectsMax = 10_000;

/** The patients behind the figures, each once. */
export async function readSubjects(db: Queryable, counting: Counting, period: Period): Promise<Subjects> {
  const values = valuesOf(counting, period);
  const facts = factsText(counting, { visible: period.visible, bind: (value) => `$${values.push(value)}` });
  const statement: Statement = {
    text: `with fact as (${facts})
           select patient, bool_or(is_denominator) as denominator, bool_or(is_denominator and is_numerator) as numerator
           from fact group by patient order by patient limit ${subjectsMax}`,
    values,
  };
  const rows = await db.query<{ patient: string; denominator: boolean; numerator: boolean }>(statement);
  return {
    population: rows.map(({ patient }) => patient),
    denominator: rows.filter(({ denominator }) => denominator).map(({ patient }) => patient),
    numerator: rows.filter(({ numerator }) => numerator).map(({ patient }) => patient),
  };
}
