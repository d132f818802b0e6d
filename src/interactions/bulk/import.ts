/**
 * $import: NDJSON, one resource in a line. One with an id is written as by an update, one without as by a create. A line that
 * is refused is told in a file of OperationOutcomes with its number, and the others go on. Many lines make one transaction;
 * when something in it refuses them together, they are taken one by one.
 */
import { type Caller, systemCaller } from '../../access/index.ts';
import { Problem, problemCategories } from '../../base/index.ts';
import type { Transaction } from '../../db/index.ts';
import { parseJson, type Resource, toOperationOutcome } from '../../fhir/index.ts';
import type { Work } from '../../queue/index.ts';
import type { Session, WriteEntry } from '../../store/index.ts';
import { type Answer, type Context, type Request, requireId, requireType } from '../context.ts';
import type { Operation } from '../operations.ts';
import { requireResource } from '../valid.ts';
import { writeGuarded } from '../write.ts';
import { type BulkFile, deleteFile, insertFiles, markUndo, readFile, undoToMark } from './bulk.sql.ts';
import { type BulkRequest, type BulkWorkInput, createBulkWork, startBulk } from './bulk.ts';

export const importLimits = { linesPerStep: 250 };

interface ImportProgress {
  /** Of the input file that comes next. */
  readonly number: number;
  /** Lines of it that are done. */
  readonly line: number;
  /** Lines taken together. */
  readonly size: number;
  readonly files: number;
  readonly done: number;
  /** Lines of the files before. */
  readonly before: number;
}

interface ImportRequest extends BulkRequest {
  readonly inputs: number;
}

export const importOperations: readonly Operation[] = [
  {
    name: 'import',
    type: '',
    level: 'system',
    methods: ['POST'],
    takesBytes: true,
    documentation: 'Takes resources as NDJSON (application/fhir+ndjson) and writes them, asynchronously.',
    run: start,
  },
];

const inputTypes: ReadonlySet<string> = new Set([
  'application/fhir+ndjson',
  'application/ndjson',
  'application/x-ndjson',
]);

async function start(context: Context, { content, caller }: Request): Promise<Answer> {
  const type = (content?.type.split(';')[0] ?? '').trim().toLowerCase();
  if (content === undefined || !inputTypes.has(type)) {
    throw new Problem('media-type', 'expected Content-Type application/fhir+ndjson, one resource in a line');
  }
  const files = inputFiles(decode(content.bytes));
  const progress: ImportProgress = {
    number: 1,
    line: 0,
    size: importLimits.linesPerStep,
    files: files.length,
    done: 0,
    before: 0,
  };
  const request: ImportRequest = { inputs: files.length, caller };
  return startBulk(context, 'import', { request, progress, files });
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Problem('incorrect', 'the body is not valid UTF-8');
  }
}

/** Each file is as much as one step takes; U+0000 cannot be kept and is no JSON either. */
function inputFiles(text: string): readonly BulkFile[] {
  if (text.includes('\0')) throw new Problem('incorrect', 'the body has the character U+0000');
  const lines = text.split('\n');
  const files: BulkFile[] = [];
  for (let at = 0; at < lines.length; at += importLimits.linesPerStep) {
    const part = lines.slice(at, at + importLimits.linesPerStep);
    files.push({ number: files.length + 1, kind: 'input', type: '', lines: part.length, content: part.join('\n') });
  }
  return files;
}

interface Line {
  readonly number: number;
  readonly text: string;
}

export function createImportWork(input: BulkWorkInput): Work {
  const { context } = input;
  return createBulkWork<ImportRequest, ImportProgress>(
    input,
    'import',
    async ({ session, tx }, { id, request, progress }) => {
      const file = await readFile(tx, id, progress.number);
      const lines = (file?.content ?? '')
        .split('\n')
        .map((text, index) => ({ number: progress.before + index + 1, text }));
      const taken = lines.slice(progress.line, progress.line + progress.size);
      const result = await takeLines(context, { session, tx, caller: request.caller ?? systemCaller }, taken);
      if (result === 'refused-together') return { progress: { ...progress, size: 1 }, isDone: false };
      const { written, outcomes } = result;
      if (outcomes.length > 0) await insertFiles(tx, id, [errorFile(progress.files + 1, outcomes)]);
      const line = progress.line + taken.length;
      const isFileDone = line >= lines.length;
      if (isFileDone) await deleteFile(tx, id, progress.number);
      const next = isFileDone
        ? {
            number: progress.number + 1,
            line: 0,
            size: importLimits.linesPerStep,
            before: progress.before + lines.length,
          }
        : { line };
      const files = progress.files + (outcomes.length > 0 ? 1 : 0);
      return {
        progress: { ...progress, ...next, files, done: progress.done + written },
        isDone: isFileDone && progress.number >= request.inputs,
      };
    },
  );
}

interface Taken {
  readonly written: number;
  readonly outcomes: readonly Resource[];
}

async function takeLines(
  context: Context,
  { session, tx, caller }: { readonly session: Session; readonly tx: Transaction; readonly caller: Caller },
  lines: readonly Line[],
): Promise<Taken | 'refused-together'> {
  const outcomes: Resource[] = [];
  const entries: WriteEntry[] = [];
  for (const line of lines) {
    if (line.text.trim() === '') continue;
    const read = await readLine(context, line);
    if (read instanceof Problem) outcomes.push(outcomeOf(line, read));
    else entries.push(read);
  }
  const targets = new Set(entries.map(({ type, id }) => `${type}/${id}`));
  if (targets.size < entries.length) return 'refused-together';
  await markUndo(tx);
  try {
    await writeGuarded(context, session, entries, { caller });
    return { written: entries.length, outcomes };
  } catch (error) {
    // What PostgreSQL refuses has ended the transaction: the job is tried again as a whole.
    if (!(error instanceof Problem) || error.cause !== undefined || problemCategories[error.category].http >= 500)
      throw error;
    await undoToMark(tx);
    const [line, ...others] = lines;
    if (line === undefined || others.length > 0) return 'refused-together';
    return { written: 0, outcomes: [outcomeOf(line, error)] };
  }
}

async function readLine(context: Context, { text }: Line): Promise<WriteEntry | Problem> {
  try {
    const body = parseJson(text);
    const type = String((body as Partial<Resource> | null)?.resourceType);
    requireType(context, type);
    const resource = await requireResource(context, type, body);
    if (resource.id === undefined) {
      const id = context.ids.next(context.clock.now());
      return { method: 'POST', type, id, resource, expectNew: true };
    }
    requireId(resource.id);
    return { method: 'PUT', type, id: resource.id, resource };
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function outcomeOf({ number }: Line, { issues }: Problem): Resource {
  return toOperationOutcome(issues.map((issue) => ({ ...issue, diagnostics: `line ${number}` })));
}

function errorFile(number: number, outcomes: readonly Resource[]): BulkFile {
  const content = `${outcomes.map((outcome) => JSON.stringify(outcome)).join('\n')}\n`;
  return { number, kind: 'error', type: 'OperationOutcome', lines: outcomes.length, content };
}
