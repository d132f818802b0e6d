/** $evaluate-measure (https://hl7.org/fhir/R4/measure-operation-evaluate-measure.html): a period's figures as a MeasureReport. */
import { formatInstant, Problem } from '../base/index.ts';
import type { Queryable } from '../db/index.ts';
import type { Resource } from '../fhir/index.ts';
import { type Figures, type Period, readFigures, readSubjects, type Subjects } from './facts.sql.ts';
import { type Counting, groupCode, type Indicator, indicators, isProportion, strataOf } from './indicators.ts';
import { populationSystem, populationsOf } from './measures.ts';
import { type Cell, masked, withoutSmallCells } from './small-cells.ts';

export type ReportType = 'population' | 'subject-list';

export interface Evaluation extends Period {
  readonly measure: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly reportType: ReportType;
  /** For others than those who care: small cells are left out (small-cells.ts). */
  readonly isPublished?: boolean;
}

export async function evaluateMeasure(db: Queryable, asked: Evaluation): Promise<Resource> {
  const indicator = indicators.find(({ id }) => id === asked.measure);
  if (indicator === undefined) throw new Problem('unprocessable', 'this Measure is none of the indicators of Suture');
  const groups: Group[] = [];
  for (const counting of indicator.counting) groups.push(await reportGroup(db, counting, asked));
  const isList = asked.reportType === 'subject-list';
  const lists = groups.flatMap(({ lists: own }) => own);
  return {
    resourceType: 'MeasureReport',
    ...(lists.length === 0 ? {} : { contained: lists }),
    status: 'complete',
    type: isList ? 'subject-list' : 'summary',
    measure: `https://suture.example/fhir/Measure/${indicator.id}|1.0.0`,
    date: formatInstant(asked.nowMs),
    reporter: { display: 'Suture' },
    period: { start: asked.periodStart, end: asked.periodEnd },
    improvementNotation: notation(indicator),
    group: groups.map(({ group }) => group),
  };
}

function notation({ improves }: Indicator): object {
  return { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/measure-improvement-notation', code: improves }] };
}

interface Group {
  readonly group: object;
  readonly lists: readonly Resource[];
}

async function reportGroup(db: Queryable, counting: Counting, asked: Evaluation): Promise<Group> {
  const found = await readFigures(db, counting, asked);
  const figures = asked.isPublished === true ? withoutSmallCells(found) : found;
  const subjects = asked.reportType === 'subject-list' ? await readSubjects(db, counting, asked) : undefined;
  const total = figures.find(({ stratum }) => stratum === undefined) ?? nothing;
  const lists = subjects === undefined ? [] : listsOf(counting, subjects);
  const group = {
    ...figuresOf(counting, total),
    code: { text: groupCode(counting) },
    population: populations(counting, total, subjects !== undefined),
    stratifier: stratifiers(counting, figures),
  };
  return { group, lists };
}

const nothing: Cell = {
  stratum: undefined,
  patients: 0,
  population: 0,
  denominator: 0,
  numerator: 0,
  knownLate: 0,
  percentiles: undefined,
  average: undefined,
};

const percentileUrl = 'https://suture.example/fhir/StructureDefinition/measure-percentile';
const knownLateUrl = 'https://suture.example/fhir/StructureDefinition/measure-known-late';

/** The share, or the median; percentiles and what was in time but learned late stand beside it. */
function figuresOf(counting: Counting, { denominator, numerator, percentiles, knownLate, isMasked }: Cell): object {
  if (isMasked === true) return {};
  if (isProportion(counting)) {
    const late = counting.kind === 'share' ? { extension: [{ url: knownLateUrl, valueInteger: knownLate }] } : {};
    return { ...late, ...(denominator === 0 ? {} : { measureScore: { value: rounded(numerator / denominator) } }) };
  }
  if (counting.kind === 'breaks' && counting.figure === 'open-by-owner')
    return { measureScore: { value: denominator } };
  if (percentiles === undefined) return {};
  const unit =
    counting.kind === 'delay'
      ? { unit: 'd', system: 'http://unitsofmeasure.org', code: 'd' }
      : { unit: 'h', system: 'http://unitsofmeasure.org', code: 'h' };
  const [p25, p50, p75, p90] = percentiles;
  const extension = [
    [25, p25],
    [50, p50],
    [75, p75],
    [90, p90],
  ].map(([rank = 0, value = 0]) => ({
    url: percentileUrl,
    extension: [
      { url: 'rank', valueInteger: rank },
      { url: 'value', valueQuantity: { value: rounded(value), ...unit } },
    ],
  }));
  return { extension, measureScore: { value: rounded(p50), ...unit } };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function countOf(code: string, { population, denominator, numerator }: Figures): number {
  if (code === 'initial-population') return population;
  return code === 'numerator' ? numerator : denominator;
}

function populations(counting: Counting, figures: Cell, hasLists: boolean): readonly object[] {
  return populationsOf(counting).map((code) => ({
    code: { coding: [{ system: populationSystem, code }] },
    ...(figures.isMasked === true ? { _count: masked } : { count: countOf(code, figures) }),
    ...(hasLists ? { subjectResults: { reference: `#${listId(counting, code)}` } } : {}),
  }));
}

function stratifiers(counting: Counting, figures: readonly Cell[]): readonly object[] {
  return strataOf(counting).flatMap((name) => {
    const own = figures.filter(({ stratum }) => stratum?.by === name);
    if (own.length === 0) return [];
    const stratum = own.map((one) => ({
      ...figuresOf(counting, one),
      value: { text: one.stratum?.value },
      population: populations(counting, one, false),
    }));
    return [{ code: [{ text: name }], stratum }];
  });
}

function listId(counting: Counting, code: string): string {
  return `${groupCode(counting)}-${code}`;
}

function listsOf(counting: Counting, subjects: Subjects): readonly Resource[] {
  return populationsOf(counting).map((code) => {
    const references =
      code === 'initial-population'
        ? subjects.population
        : code === 'numerator'
          ? subjects.numerator
          : subjects.denominator;
    return {
      resourceType: 'List',
      id: listId(counting, code),
      status: 'current',
      mode: 'snapshot',
      ...(references.length === 0 ? {} : { entry: references.map((reference) => ({ item: { reference } })) }),
    };
  });
}
