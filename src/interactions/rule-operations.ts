/** Operations on a rule set: $fixtures runs its own fixtures, $counts tells how its judgments stand, shadow mode included. */
import { Problem } from '../base/index.ts';
import { countJudgmentsOf, type EngineInput, fixtureAnswer } from '../breaks/index.ts';
import type { Resource } from '../fhir/index.ts';
import { isRuleSet } from '../rules/index.ts';
import type { Answer, Context, Request } from './context.ts';
import type { Operation } from './operations.ts';
import { readStored } from './read.ts';

export function ruleOperations(engine: EngineInput): readonly Operation[] {
  const head = { type: 'PlanDefinition', level: 'instance', takesBytes: false } as const;
  return [
    {
      ...head,
      name: 'fixtures',
      methods: ['GET', 'POST'],
      documentation: 'Runs the fixtures that the rule set carries; writes nothing.',
      run: async (context, request) => answer(fixtureAnswer(await engine.examine(await readRules(context, request)))),
    },
    {
      ...head,
      name: 'counts',
      methods: ['GET'],
      documentation:
        'How many judgments of each rule stand in which state; of a rule set on trial, what it would open.',
      run: async (context, request) => answer(await counts(context, request, engine)),
    },
  ];
}

async function counts(context: Context, request: Request, { examine }: EngineInput): Promise<Resource> {
  const { ruleSet } = await examine(withoutFixtures(await readRules(context, request)));
  const codes = [...new Set((ruleSet?.rules ?? []).map(({ code }) => code))];
  const found = await countJudgmentsOf(context.store, codes);
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'mode', valueCode: ruleSet?.mode ?? 'off' },
      ...found.map(({ rule, state, count }) => ({
        name: 'count',
        part: [
          { name: 'rule', valueCode: rule },
          { name: 'state', valueCode: state },
          { name: 'count', valueInteger: count },
        ],
      })),
    ],
  };
}

function withoutFixtures(resource: Resource): Resource {
  const { contained: _contained, ...rest } = resource;
  return rest;
}

async function readRules(context: Context, request: Request): Promise<Resource> {
  const resource = JSON.parse((await readStored(context, request)).raw) as Resource;
  if (!isRuleSet(resource))
    throw new Problem('unprocessable', 'this PlanDefinition is no rule set: its type is not eca-rule');
  return resource;
}

function answer(resource: Resource): Answer {
  return { status: 200, body: JSON.stringify(resource) };
}
