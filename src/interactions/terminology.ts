/**
 * Terminology operations (https://hl7.org/fhir/R4/terminology-service.html): $expand and $validate-code of value sets,
 * $lookup, $validate-code and $subsumes of code systems. Over what is loaded; what is not is said, never guessed.
 */
import { Problem } from '../base/index.ts';
import type { ConformanceResource, Resource } from '../fhir/index.ts';
import type { Conformance } from '../packages/index.ts';
import type { Concept, Listing, Member, Terminology } from '../terminology/index.ts';
import type { Answer, Context, Request } from './context.ts';
import { type OperationInput, readOperationInput } from './operation-input.ts';
import type { Operation } from './operations.ts';
import { readStored } from './read.ts';
import { validateCode } from './validate-code.ts';

type Run = (conformance: Conformance, context: Context, request: Request) => Promise<Answer>;
type Level = Operation['level'];

const operations: readonly (readonly [name: string, type: string, levels: readonly Level[], run: Run, text: string])[] =
  [
    ['expand', 'ValueSet', ['type', 'instance'], expand, 'The codes of a value set; `filter`, `offset`, `count`.'],
    ['validate-code', 'ValueSet', ['type', 'instance'], validateInValueSet, 'Whether a code is in a value set.'],
    ['validate-code', 'CodeSystem', ['type'], validateInCodeSystem, 'Whether a code is one of its code system.'],
    ['lookup', 'CodeSystem', ['type'], lookup, 'What a code means.'],
    ['subsumes', 'CodeSystem', ['type'], subsumes, 'Whether one code of a system contains another.'],
  ];

export function terminologyOperations(conformance: Conformance): readonly Operation[] {
  return operations.flatMap(([name, type, levels, run, documentation]) =>
    levels.map((level) => ({
      name,
      type,
      level,
      methods: ['GET', 'POST'],
      takesBytes: false,
      documentation,
      run: (context, request) => run(conformance, context, request),
    })),
  );
}

const expansionMax = 1000;

async function expand(conformance: Conformance, context: Context, request: Request): Promise<Answer> {
  const input = readOperationInput(request, 'valueSet');
  const { valueSet, url } = await chooseValueSet(context, request, input);
  const listing = await conformance.ask((terminology) => listOf(terminology, valueSet, url));
  if (listing === undefined) throw notLoaded('value set');
  if ('unknown' in listing)
    throw new Problem('unprocessable', `the value set cannot be expanded: ${listing.unknown}`, {
      issues: [
        { severity: 'error', code: 'not-supported', text: `the value set cannot be expanded: ${listing.unknown}` },
      ],
    });
  const isActive = input.text('activeOnly') === 'true';
  const members = listing.members.filter(
    (member) => matches(member, input.text('filter')) && !(isActive && member.isInactive === true),
  );
  const [offset, count] = [readNumber(input, 'offset') ?? 0, readNumber(input, 'count')];
  if (count === undefined && members.length > expansionMax)
    throw new Problem('too-costly', `the value set has ${members.length} codes: ask for them by offset and count`);
  const shown = members.slice(offset, offset + Math.min(count ?? expansionMax, expansionMax));
  const expansion = {
    identifier: `urn:uuid:${context.ids.next(context.clock.now())}`,
    timestamp: new Date(context.clock.now()).toISOString(),
    total: members.length,
    ...(offset === 0 && count === undefined ? {} : { offset }),
    contains: shown.map(asContains),
  };
  const {
    expansion: _known,
    compose: _compose,
    ...described
  } = valueSet ?? { resourceType: 'ValueSet', url, status: 'active' };
  return {
    status: 200,
    body: JSON.stringify({ ...described, expansion: shown.length > 0 ? expansion : withoutContains(expansion) }),
  };
}

function withoutContains({ contains: _none, ...rest }: { readonly contains: unknown }): object {
  return rest;
}

function listOf(terminology: Terminology, valueSet: Resource | undefined, url: string): Listing | undefined {
  return valueSet === undefined ? terminology.list(url) : terminology.listOf(valueSet as ConformanceResource);
}

/** Every word begins a word of the display or of the code. */
function matches({ code, display = '' }: Member, filter: string | undefined): boolean {
  if (filter === undefined || filter.trim() === '') return true;
  const words = fold(`${code} ${display}`).split(/[^\p{L}\p{N}]+/u);
  return fold(filter)
    .trim()
    .split(/\s+/)
    .every((sought) => words.some((word) => word.startsWith(sought)));
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

function asContains({ system, version, code, display, isAbstract, isInactive }: Member): object {
  return {
    system,
    ...(version === undefined ? {} : { version }),
    ...(isAbstract === true ? { abstract: true } : {}),
    ...(isInactive === true ? { inactive: true } : {}),
    code,
    ...(display === undefined ? {} : { display }),
  };
}

function readNumber(input: OperationInput, name: string): number | undefined {
  const text = input.text(name);
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Problem('incorrect', `the parameter ${name} is no whole number`);
}

/** The one in the request, the stored one, or a canonical of what is loaded. */
async function chooseValueSet(
  context: Context,
  request: Request,
  input: OperationInput,
): Promise<{ readonly valueSet: Resource | undefined; readonly url: string }> {
  const given = input.resource('valueSet');
  // In the URL of the type, the operation stands where an id would.
  if (request.id?.startsWith('$') === false)
    return { valueSet: JSON.parse((await readStored(context, request)).raw) as Resource, url: '' };
  if (given !== undefined) return { valueSet: await requireValid(context, given), url: '' };
  const [url, version] = [input.text('url'), input.text('valueSetVersion')];
  if (url === undefined) throw new Problem('incorrect', 'the parameter url is missing');
  return { valueSet: undefined, url: version === undefined ? url : `${url}|${version}` };
}

async function requireValid(context: Context, valueSet: Resource): Promise<Resource> {
  const issues = (await context.validate(valueSet, 'ValueSet')).filter(({ severity }) => severity === 'error');
  if (issues.length > 0) throw new Problem('incorrect', 'the value set is not valid', { issues });
  return valueSet;
}

function notLoaded(what: string): Problem {
  return new Problem('not-found', `the ${what} is not loaded`);
}

async function validateInValueSet(conformance: Conformance, context: Context, request: Request): Promise<Answer> {
  const input = readOperationInput(request, 'valueSet');
  const { valueSet, url } = await chooseValueSet(context, request, input);
  return conformance.ask((terminology) => {
    const set = valueSet === undefined ? undefined : terminology.setOf(valueSet as ConformanceResource);
    if (set === undefined && !terminology.hasValueSet(url)) throw notLoaded('value set');
    return validateCode(
      terminology,
      input,
      (system, code) => set?.has(system, code) ?? terminology.member(url, system, code),
    );
  });
}

function validateInCodeSystem(conformance: Conformance, _context: Context, request: Request): Promise<Answer> {
  const input = readOperationInput(request);
  const url = input.text('url');
  return conformance.ask((terminology) => {
    if (url !== undefined && terminology.codeSystem(url) === undefined && terminology.knows(url, 'x') === 'unknown')
      throw notLoaded('code system');
    return validateCode(terminology, input, (system, code) => terminology.knows(system ?? url ?? '', code), url);
  });
}

interface Asked {
  readonly system: string;
  readonly code: string;
}

function readCoding(input: OperationInput): Asked {
  const coding = input.value('coding');
  const system = coding === undefined ? input.text('system') : coding['system'];
  const code = coding === undefined ? input.text('code') : coding['code'];
  if (typeof system === 'string' && typeof code === 'string') return { system, code };
  throw new Problem('incorrect', 'expected system and code, or coding');
}

function lookup(conformance: Conformance, _context: Context, request: Request): Promise<Answer> {
  const input = readOperationInput(request);
  const { system, code } = readCoding(input);
  const version = input.text('version');
  return conformance.ask((terminology) => {
    const table = terminology.codeSystem(version === undefined ? system : `${system}|${version}`);
    if (table === undefined) throw notLoaded('code system');
    const concept = table.find(code);
    if (concept === undefined) throw new Problem('not-found', 'the code system has no such code');
    const texts: readonly (readonly [string, string | undefined])[] = [
      ['name', table.name ?? table.url],
      ['version', table.version],
      ['display', concept.display ?? concept.code],
      ['definition', concept.definition],
    ];
    const parameter = texts.flatMap(([name, value]) => (value === undefined ? [] : [{ name, valueString: value }]));
    const properties = [...propertiesOf(concept), ['abstract', String(concept.isAbstract)] as const];
    return parameters([
      ...parameter,
      ...designationsOf(concept),
      ...properties.map(([name, value]) => propertyPart(name, value)),
    ]);
  });
}

function propertiesOf({ properties }: Concept): readonly (readonly [string, string])[] {
  return [...properties].flatMap(([name, values]) => values.map((value) => [name, value] as const));
}

function propertyPart(code: string, value: string): object {
  return {
    name: 'property',
    part: [
      { name: 'code', valueCode: code },
      { name: 'value', valueString: value },
    ],
  };
}

function designationsOf({ designation = [] }: Concept): readonly object[] {
  return designation.map(({ language, value }) => ({
    name: 'designation',
    part: [
      ...(language === undefined ? [] : [{ name: 'language', valueCode: language }]),
      { name: 'value', valueString: value },
    ],
  }));
}

function subsumes(conformance: Conformance, _context: Context, request: Request): Promise<Answer> {
  const input = readOperationInput(request);
  const [a, b] = [input.value('codingA'), input.value('codingB')];
  const system = input.text('system') ?? a?.['system'];
  const [codeA, codeB] = [input.text('codeA') ?? a?.['code'], input.text('codeB') ?? b?.['code']];
  if (typeof system !== 'string' || typeof codeA !== 'string' || typeof codeB !== 'string')
    throw new Problem('incorrect', 'expected system, codeA and codeB, or codingA and codingB');
  return conformance.ask((terminology) => {
    if (terminology.codeSystem(system) === undefined) throw notLoaded('code system');
    const outcome = terminology.subsumes(system, codeA, codeB);
    if (outcome === undefined) throw new Problem('not-found', 'the code system has not both codes');
    return parameters([{ name: 'outcome', valueCode: outcome }]);
  });
}

export function parameters(parameter: readonly object[]): Answer {
  return { status: 200, body: JSON.stringify({ resourceType: 'Parameters', parameter }) };
}
