/**
 * $export (http://hl7.org/fhir/uv/bulkdata/export.html): of everything, of all patients, of the patients of a Group. The record as it
 * was when the export was asked for, whatever is written while it runs.
 */
import { systemCaller } from '../../access/index.ts';
import { Problem } from '../../base/index.ts';
import type { Resource } from '../../fhir/index.ts';
import type { Work } from '../../queue/index.ts';
import type { Answer, Context, Request } from '../context.ts';
import { many, readInputs, single } from '../inputs.ts';
import type { Operation } from '../operations.ts';
import { readStored } from '../read.ts';
import { insertFiles, readExportPage } from './bulk.sql.ts';
import { type BulkRequest, type BulkWorkInput, createBulkWork, startBulk } from './bulk.ts';

export const exportLimits = { resourcesPerStep: 5000, patientsMax: 10_000 };

interface ExportRequest extends BulkRequest {
  readonly url: string;
  readonly atMs: number;
  readonly sinceMs?: number;
  readonly types?: readonly string[];
  readonly patients?: 'any' | readonly string[];
}

interface ExportProgress {
  readonly afterRid: string;
  readonly files: number;
  readonly done: number;
}

const shared = { name: 'export', methods: ['GET', 'POST'], takesBytes: false } as const;
const guide = 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition';
const parameters = '`_type`, `_since` and `_outputFormat`';

export const exportOperations: readonly Operation[] = [
  {
    ...shared,
    type: '',
    level: 'system',
    documentation: `Exports every resource as NDJSON, asynchronously; takes ${parameters}.`,
    definition: `${guide}/export`,
    run: (context, request) => start(context, request, () => Promise.resolve(undefined)),
  },
  {
    ...shared,
    type: 'Patient',
    level: 'type',
    documentation: `Exports the records of all patients, or of those that \`patient\` names; takes ${parameters}.`,
    definition: `${guide}/patient-export`,
    run: (context, request) => start(context, request, () => Promise.resolve('any')),
  },
  {
    ...shared,
    type: 'Group',
    level: 'instance',
    documentation: `Exports the records of the patients of a Group; takes ${parameters}.`,
    definition: `${guide}/group-export`,
    run: (context, request) => start(context, request, () => membersOf(context, request)),
  },
];

async function start(
  context: Context,
  request: Request,
  patientsOf: () => Promise<ExportRequest['patients']>,
): Promise<Answer> {
  if (request.isAsync !== true) {
    throw new Problem('incorrect', 'an export runs asynchronously: expected the header Prefer: respond-async');
  }
  const patients = await patientsOf();
  const inputs = readInputs(request, [
    '_type',
    '_since',
    '_outputFormat',
    ...(patients === undefined ? [] : ['patient']),
  ]);
  const [types, named] = [many(inputs, '_type'), many(inputs, 'patient')];
  if (types.some((type) => !context.definitions.resourceTypes.has(type))) {
    throw new Problem('incorrect', 'parameter _type: a type is unknown to FHIR R4');
  }
  requireNdjson(single(inputs, '_outputFormat'));
  const since = single(inputs, '_since')?.replace(' ', '+');
  const sinceMs = since === undefined ? undefined : context.search.readers.dates.range(since)?.lo;
  if (since !== undefined && sinceMs === undefined) {
    throw new Problem('incorrect', 'parameter _since: expected an instant such as 2026-03-02T08:00:00Z');
  }
  const asked: ExportRequest = {
    url: context.baseUrl,
    caller: request.caller,
    atMs: context.clock.now(),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(types.length === 0 ? {} : { types }),
    ...(patients === undefined ? {} : { patients: among(patients, named) }),
  };
  const progress: ExportProgress = { afterRid: '0', files: 0, done: 0 };
  return startBulk(context, 'export', { request: asked, progress });
}

/** Only those that are named, and never others than those that may be exported. */
function among(patients: 'any' | readonly string[], named: readonly string[]): 'any' | readonly string[] {
  if (named.length === 0) return patients;
  return patients === 'any' ? named : named.filter((one) => patients.includes(one));
}

const outputFormats: ReadonlySet<string> = new Set(['application/fhir+ndjson', 'application/ndjson', 'ndjson']);

function requireNdjson(format: string | undefined): void {
  if (format === undefined || outputFormats.has(format.replace(' ', '+'))) return;
  throw new Problem('incorrect', 'parameter _outputFormat: expected application/fhir+ndjson');
}

async function membersOf(context: Context, request: Request): Promise<readonly string[]> {
  const group = JSON.parse((await readStored(context, request)).raw) as Resource;
  const members = (group['member'] ?? []) as readonly { entity?: { reference?: string }; inactive?: boolean }[];
  const references = members.filter(({ inactive }) => inactive !== true).map(({ entity }) => entity?.reference ?? '');
  const patients = references.flatMap((text) => {
    const parsed = context.search.readers.references(text);
    return parsed.kind === 'local' && parsed.type === 'Patient' ? [`Patient/${parsed.id}`] : [];
  });
  if (patients.length <= exportLimits.patientsMax) return patients;
  throw new Problem('too-costly', `a Group of at most ${exportLimits.patientsMax} patients can be exported`);
}

export function createExportWork(input: BulkWorkInput): Work {
  return createBulkWork<ExportRequest, ExportProgress>(input, 'export', async ({ tx }, { id, request, progress }) => {
    const { atMs, sinceMs, types, patients } = request;
    // What the caller may see at each step, not only when he asked.
    const visible = input.context.access.visibleTo(request.caller ?? systemCaller);
    const limit = exportLimits.resourcesPerStep;
    const page = { afterRid: progress.afterRid, limit, atMs, sinceMs, types, patients };
    const rows = await readExportPage(tx, page, visible);
    const byType = new Map<string, string[]>();
    for (const { type, raw } of rows) {
      const lines = byType.get(type) ?? [];
      byType.set(type, lines);
      lines.push(raw);
    }
    const files = [...byType].map(([type, lines], index) => ({
      number: progress.files + index + 1,
      kind: 'output' as const,
      type,
      lines: lines.length,
      content: `${lines.join('\n')}\n`,
    }));
    await insertFiles(tx, id, files);
    return {
      progress: {
        afterRid: rows.at(-1)?.rid ?? progress.afterRid,
        files: progress.files + files.length,
        done: progress.done + rows.length,
      },
      isDone: rows.length < limit,
    };
  });
}
