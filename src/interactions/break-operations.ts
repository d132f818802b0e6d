/** $breaks and $explain (design.md section 5): the engine's answers as operations. */
import { Problem } from '../base/index.ts';
import { type AnswerInput, answerBreaks, answerExplain } from '../breaks/index.ts';
import type { Answer, Context, Request } from './context.ts';
import type { Operation } from './operations.ts';
import { readStored } from './read.ts';

export function breakOperations(input: AnswerInput): readonly Operation[] {
  return [
    {
      name: 'breaks',
      type: 'Patient',
      level: 'instance',
      methods: ['GET'],
      takesBytes: false,
      documentation: 'The judgments of every rule on this patient, now or at a past instant (`at`).',
      async run(context, request) {
        await readStored(context, request);
        const atMs = readAt(request);
        const answer = await answerBreaks(input, context.store, {
          patient: `Patient/${request.id}`,
          atMs,
          visible: request.visible,
        });
        return { status: 200, body: JSON.stringify(answer) };
      },
    },
    {
      name: 'explain',
      type: 'DetectedIssue',
      level: 'instance',
      methods: ['GET'],
      takesBytes: false,
      documentation: 'Why this break is what it is: each expression with its value, the evidence, the time line.',
      run: (context, request) => explain(input, context, request),
    },
  ];
}

async function explain(input: AnswerInput, context: Context, request: Request): Promise<Answer> {
  await readStored(context, request);
  const answer = await answerExplain(input, context.store, { id: request.id ?? '', visible: request.visible });
  return { status: 200, body: JSON.stringify(answer) };
}

const instantForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

function readAt({ query }: Request): number | undefined {
  const at = query.find(([name]) => name === 'at')?.[1]?.replace(' ', '+');
  if (at === undefined) return undefined;
  const instant = instantForm.test(at) ? Date.parse(at) : Number.NaN;
  if (!Number.isNaN(instant)) return instant;
  throw new Problem('incorrect', 'the parameter at is no instant: expected e.g. 2026-03-03T00:00:00+01:00');
}
