/**
 * Our keywords for ajv. Each makes its check once per schema, by a call to the runtime (`../runtime.ts`) outside the
 * generated function, and leaves one call inside.
 */
import { _, type Ajv, type Code, type KeywordCxt, Name, stringify } from 'ajv';

const vErrors = new Name('vErrors');
const errors = new Name('errors');
const instancePath = new Name('instancePath');

export function addKeywords(ajv: Ajv): void {
  ajv.addKeyword({ keyword: 'members', type: 'object', code: callMembers });
  for (const keyword of ['binding', 'targets'])
    ajv.addKeyword({
      keyword,
      code: callCheck,
      error: { message: keyword, params: ({ schema }) => stringify(schema) },
    });
  ajv.addKeyword({
    keyword: 'invariants',
    code: callInvariants,
    error: { message: 'invariant', params: ({ params }) => _`{name: ${params['name']}}` },
  });
}

/** `members` finds several faults at once, each with its own place below the object, which is the root of its schema. */
function callMembers(context: KeywordCxt): void {
  const { gen, data } = context;
  const check = constant(context, 'members', _`runtime.members(${context.schema as string})`);
  const found = gen.const('found', _`${check}(${data})`);
  gen.if(_`${found} !== null`, () => {
    gen.assign(vErrors, _`runtime.join(${vErrors}, runtime.place(${found}, ${instancePath}))`);
    gen.assign(errors, _`${vErrors}.length`);
  });
}

function callCheck(context: KeywordCxt): void {
  const { keyword, data } = context;
  const schema: unknown = context.schema;
  const { kind, valueSet } = schema as { kind?: string; valueSet?: string };
  const made =
    keyword === 'binding' ? _`runtime.binding(${kind}, ${valueSet})` : _`runtime.targets(${stringify(schema)})`;
  context.fail(_`!${constant(context, keyword, made)}(${data})`);
}

function callInvariants(context: KeywordCxt): void {
  for (const name of context.schema as readonly string[]) {
    context.setParams({ name: stringify(name) });
    context.fail(_`!${constant(context, 'invariant', _`runtime.invariant(${name})`)}(${context.data})`);
  }
}

/** A constant of the generated module, one for all places that make the same. */
function constant(context: KeywordCxt, prefix: string, code: Code): Name {
  const key = `${prefix} ${code.toString()}`;
  return context.gen.scopeValue('func', { key, ref: key, code });
}
