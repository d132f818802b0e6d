/**
 * $validate (https://hl7.org/fhir/R4/resource-operation-validate.html): what would be said of a resource if it were
 * written, with the warnings, and whether it conforms to a profile. Always an OperationOutcome, 200: that the resource
 * is not valid is the answer, not an error.
 */
import { type Issue, Problem } from '../base/index.ts';
import { toOperationOutcome } from '../fhir/index.ts';
import type { Conformance } from '../packages/index.ts';
import type { Expectations } from '../validation/index.ts';
import type { Answer, Context, Request } from './context.ts';
import { type OperationInput, readOperationInput } from './operation-input.ts';
import type { Operation } from './operations.ts';
import { readStored } from './read.ts';

export interface ValidateInput {
  readonly conformance: Conformance;
  readonly resourceTypes: Iterable<string>;
  /** As for writes. */
  readonly checksClaims: boolean;
}

export function validateOperations(input: ValidateInput): readonly Operation[] {
  const documentation =
    'What would be said of a resource if it were written; `profile`, `mode`, and `mustSupport=true` to be told which marked elements are not there.';
  const shared = { name: 'validate', takesBytes: false, documentation } as const;
  return [...input.resourceTypes].sort().flatMap((type): Operation[] => [
    { ...shared, type, level: 'type', methods: ['POST'], run: (_context, request) => atType(input, request) },
    {
      ...shared,
      type,
      level: 'instance',
      methods: ['GET', 'POST'],
      run: (context, request) => atInstance(input, context, request),
    },
  ]);
}

const modes: readonly (string | undefined)[] = [undefined, 'create', 'update', 'delete', 'profile'];

function readMode(parameters: OperationInput): string | undefined {
  const mode = parameters.text('mode');
  if (modes.includes(mode)) return mode;
  throw new Problem('incorrect', 'the mode is none of create, update, delete, profile');
}

async function atType(input: ValidateInput, request: Request): Promise<Answer> {
  const parameters = readOperationInput(request, 'resource');
  const mode = readMode(parameters);
  if (mode === 'update' || mode === 'delete')
    throw new Problem('incorrect', `the mode ${mode} is about a resource that is there: expected its id in the URL`);
  const resource = parameters.resource('resource');
  if (resource === undefined) throw new Problem('incorrect', 'the parameter resource is missing');
  return answer(await judge(input, request, parameters, resource));
}

async function atInstance(input: ValidateInput, context: Context, request: Request): Promise<Answer> {
  const parameters = readOperationInput(request, 'resource');
  const mode = readMode(parameters);
  const stored = await readStored(context, request);
  if (mode === 'create')
    throw new Problem('incorrect', 'the mode create is about a new resource: expected no id in the URL');
  if (mode === 'delete') return answer([]);
  const resource = parameters.resource('resource');
  if (mode === 'profile' && resource !== undefined)
    throw new Problem('incorrect', 'the mode profile is about the stored resource: expected none in the request');
  const found = await judge(input, request, parameters, resource ?? JSON.parse(stored.raw));
  return answer(resource === undefined || resource.id === request.id ? found : [...found, otherId]);
}

const otherId: Issue = {
  severity: 'error',
  code: 'invalid',
  text: 'the id in the resource must be the id in the URL',
  french: "l'identifiant de la ressource doit être celui de l'URL",
  expression: 'Resource.id',
};

function judge(
  { conformance, checksClaims }: ValidateInput,
  { type }: Request,
  parameters: OperationInput,
  resource: unknown,
): Promise<readonly Issue[]> {
  const expectations: Expectations = {
    typeExpected: type,
    profiles: parameters.texts('profile'),
    checksClaims,
    tellsWarnings: true,
    marksMustSupport: parameters.text('mustSupport') === 'true',
  };
  return conformance.validate(resource, expectations);
}

const allIsWell: Issue = {
  severity: 'information',
  code: 'informational',
  text: 'no fault was found',
  french: "aucune anomalie n'a été trouvée",
};

function answer(issues: readonly Issue[]): Answer {
  return { status: 200, body: JSON.stringify(toOperationOutcome(issues.length === 0 ? [allIsWell] : issues)) };
}
