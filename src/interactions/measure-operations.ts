/** $evaluate-measure: the indicators over a period, as population or with the list of subjects. */
import { type Issue, Problem } from '../base/index.ts';
import type { Queryable } from '../db/index.ts';
import { createDateReader } from '../fhir/index.ts';
import { evaluateMeasure, type ReportType } from '../indicators/index.ts';
import type { Request } from './context.ts';
import type { Operation } from './operations.ts';
import { readStored } from './read.ts';

export interface MeasureInput {
  readonly db: Queryable;
  /** Of days in the period. */
  readonly zone: string;
}

export function measureOperations({ db, zone }: MeasureInput): readonly Operation[] {
  const dates = createDateReader(zone);
  return [
    {
      name: 'evaluate-measure',
      type: 'Measure',
      level: 'instance',
      methods: ['GET', 'POST'],
      takesBytes: false,
      documentation:
        'An indicator over a period: figures with strata, or with the list of subjects (`reportType`). With `published=true` figures about fewer than eleven patients are left out.',
      async run(context, request) {
        await readStored(context, request);
        const periodStart = valueOf(request, 'periodStart') ?? '';
        const periodEnd = valueOf(request, 'periodEnd') ?? '';
        const from = dates.range(periodStart);
        const to = dates.range(periodEnd);
        if (from === undefined) throw wrong('periodStart', 'a date');
        if (to === undefined || to.hi <= from.lo)
          throw wrong('periodEnd', 'a date that does not lie before periodStart');
        const report = await evaluateMeasure(db, {
          measure: request.id ?? '',
          periodStart,
          periodEnd,
          fromMs: from.lo,
          toMs: to.hi,
          nowMs: context.clock.now(),
          visible: request.visible,
          ...readForm(request),
        });
        return { status: 200, body: JSON.stringify(report) };
      },
    },
  ];
}

/** A list of subjects is not for publication. */
function readForm(request: Request): { readonly reportType: ReportType; readonly isPublished: boolean } {
  const reportType = readType(valueOf(request, 'reportType'));
  const published = valueOf(request, 'published') ?? 'false';
  if (published !== 'true' && published !== 'false') throw wrong('published', 'true or false');
  const isPublished = published === 'true';
  if (isPublished && reportType === 'subject-list') throw wrong('reportType', 'population, where published is true');
  return { reportType, isPublished };
}

function readType(text: string | undefined): ReportType {
  if (text === undefined || text === 'population' || text === 'summary') return 'population';
  if (text === 'subject-list') return 'subject-list';
  throw wrong('reportType', 'population or subject-list');
}

function wrong(name: string, expected: string): Problem {
  const text = `the parameter ${name} is not what is expected: ${expected}`;
  const issue: Issue = { severity: 'error', code: 'invalid', text };
  return new Problem('incorrect', text, { issues: [issue] });
}

interface Parameter {
  readonly name?: string;
  readonly valueDate?: string;
  readonly valueCode?: string;
  readonly valueString?: string;
  readonly valueBoolean?: boolean;
}

function valueOf({ query, body }: Request, name: string): string | undefined {
  const inUrl = query.find(([key]) => key === name)?.[1];
  const { parameter = [] } = (body ?? {}) as { parameter?: readonly Parameter[] };
  return inUrl ?? textOf(parameter.find((one) => one.name === name));
}

function textOf({ valueDate, valueCode, valueString, valueBoolean }: Parameter = {}): string | undefined {
  return valueDate ?? valueCode ?? valueString ?? valueBoolean?.toString();
}
