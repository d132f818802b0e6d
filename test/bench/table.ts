/** The result, as a table for people. */
import type { Figures } from './measure.ts';

export interface ResultRow {
  readonly name: string;
  readonly perSecond: number;
  readonly unit: string;
  readonly figures?: Figures;
  /** In the same unit. */
  readonly rawPerSecond?: number;
  /** Of the operation and of its limit. */
  readonly cost?: Cost | undefined;
  readonly rawCost?: Cost | undefined;
  readonly remark?: string;
}

/** Processor time of one request in microseconds. */
export interface Cost {
  readonly processUs: number;
  readonly databaseUs: number;
}

const heads = ['operation', 'per second', 'median ms', 'p99 ms', 'raw limit', 'ratio', 'cpu us', 'raw cpu us', ''];

export function tableText(rows: readonly ResultRow[]): string {
  const lines = [heads, ...rows.map(cells)];
  const widths = heads.map((_head, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(heads), rule, ...rows.map((row) => line(cells(row)))].join('\n');
}

function isText(column: number): boolean {
  return column === 0 || column === heads.length - 1;
}

function cells({ name, perSecond, unit, figures, rawPerSecond, cost, rawCost, remark }: ResultRow): readonly string[] {
  const failed = figures === undefined || figures.failed === 0 ? [] : [`FAILED ${figures.failures.join(', ')}`];
  const isUnit = unit !== 'requests';
  return [
    name,
    `${rate(perSecond)}${isUnit ? ` ${unit}` : ''}`,
    figures === undefined ? '' : figures.medianMs.toFixed(1),
    figures === undefined ? '' : figures.p99Ms.toFixed(1),
    rawPerSecond === undefined ? '' : rate(rawPerSecond),
    rawPerSecond === undefined ? '' : `${Math.round((100 * perSecond) / rawPerSecond)} %`,
    costText(cost),
    costText(rawCost),
    [...failed, ...(remark === undefined ? [] : [remark])].join('; '),
  ];
}

function rate(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en').replaceAll(',', ' ') : value.toFixed(1);
}

/** Server + database. */
function costText(cost: Cost | undefined): string {
  return cost === undefined ? '' : `${Math.round(cost.processUs)} + ${Math.round(cost.databaseUs)}`;
}

export const notes: readonly string[] = [
  'raw limit: reads by a bare route with one prepared select of the same bytes; writes by pg alone, the same rows into the',
  '  same tables and indexes, 100 resources at once beside transactions',
  'cpu us: processor time of one request, server + database, until its judgments are done (Linux)',
];
