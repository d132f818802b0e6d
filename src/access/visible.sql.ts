/**
 * The one decision: what a caller may see, as a condition on a row of `resource` or `version`. It stands inside every statement that
 * produces a resource, so that what is not seen is not counted, sorted, followed or told of either.
 *
 *     scope      type and constraint of a scope, and the types of the caller's roles
 *   ∧ relation   every patient whose record it is part of stands in a relation to the caller that counts, now; or he broke the glass
 *   ∧ labels     no label that hides from his roles, unless he wrote it
 *
 * All patients, not one of them: a Group or a List of two patients would tell the one who is related to the first of the second.
 * Who the caller is on this server (`access_who`) and all relations are read by the statement itself: nothing is remembered, and
 * nobody who has left a care team is still in it.
 */
import { type Caller, callerKey, clientIdPrefix, hasRight, mayEverything, type Subject } from './caller.ts';
import { labelsSeenBy, labelsSeenInEmergency } from './labels.ts';
import { groundsOf, openTypes, ownPatient, rolesOf, typesOfRoles } from './policy.ts';
import type { Scope } from './scope.ts';

/**
 * What the row is: the current version of what is there; any current row, deletions too; a former version. `usual`: a current row such as
 * most are, without labels, of one patient or of nobody: never more than `stored` sees, and asked first where one row is read, because
 * PostgreSQL spends more on getting the whole condition ready than on finding the row.
 */
export type RowKind = 'current' | 'stored' | 'former' | 'usual';

type Bind = (value: unknown) => string;

/**
 * A condition on a row under the alias; `bind` gives the placeholder of a value. `true`: no condition. `types`: the row is of one of these,
 * which the condition asks for itself; what need not be asked of them is then left out.
 */
export type Visible = (alias: string, bind: Bind, row?: RowKind, types?: readonly string[]) => string;

export interface VisibleSetting {
  readonly nowMs: number;
  readonly graceMs: number;
  /** That the resource meets search parameters; undefined when that cannot be asked of a row. */
  readonly constraint: (type: string, parameters: Scope['constraint']) => Visible | undefined;
  /** The interactions whose scopes count: to be seen, `r` or `s`. */
  readonly letters: string;
}

export function visibleTo(caller: Caller, setting: VisibleSetting): Visible {
  if (mayEverything(caller)) return () => 'true';
  return (alias, bind, row = 'current', types = undefined) => {
    const values: unknown[] = [];
    const later: Bind = (value) => `\u0001${values.push(value) - 1}\u0001`;
    const draft: Draft = { caller, setting, types, bind: remembering(later), bindAny: later };
    return bound(textOf(draft, alias, row), values, bind);
  };
}

function textOf(draft: Draft, alias: string, row: RowKind): string {
  if (row === 'usual') return usualText(draft, alias);
  return row === 'current' ? condition(draft, alias) : ofSeenRow(draft, alias, row);
}

/** What no condition asks for in the end is not bound: PostgreSQL refuses a value whose type nothing tells. */
function bound(text: string, values: readonly unknown[], bind: Bind): string {
  const places = new Map<number, string>();
  return text.replaceAll(/\u0001(\d+)\u0001/g, (_whole, number: string) => {
    const at = Number(number);
    const place = places.get(at) ?? bind(values[at]);
    places.set(at, place);
    return place;
  });
}

function ofSeenRow(draft: Draft, alias: string, row: 'stored' | 'former'): string {
  const text = condition(draft, 's');
  return text === 'true' || text === 'false'
    ? text
    : `exists (select from (${seenRow(alias, row)}) as s where ${text})`;
}

/**
 * The row itself, or of a deletion the version before: it says no more than what was deleted, and whoever could not see that never
 * hears of it. Former versions have no keys, so that no constraint is met by them.
 */
function seenRow(alias: string, row: 'stored' | 'former'): string {
  // What is masked now was masked ever.
  const marks = (from: string, name: 'labels' | 'authors') =>
    row === 'stored'
      ? `${from}.${name}`
      : `${from}.${name} || coalesce((select n.${name} from resource n where n.rid = ${from}.rid), '{}') as ${name}`;
  const columns = (from: string) =>
    `${from}.type, ${from}.id, ${from}.patients, ${marks(from, 'labels')}, ${marks(from, 'authors')}`;
  const isDeletion = row === 'stored' ? `${alias}.is_deleted` : `${alias}.method = 'DELETE'`;
  const keys = row === 'stored' ? `${alias}.keys` : 'null::bigint[]';
  return `select ${columns(alias)}, ${keys} as keys where not ${isDeletion}
    union all select ${columns('w')}, null from version w
    where ${isDeletion} and w.rid = ${alias}.rid and w.version = ${alias}.version - 1`;
}

/** Lists go as the text of an array. */
type BindOne = (value: string | number | null | undefined | readonly string[]) => string;

interface Draft {
  readonly caller: Caller;
  readonly setting: VisibleSetting;
  /** Of the row, where they are known. */
  readonly types: readonly string[] | undefined;
  readonly bind: BindOne;
  /** As it came, for conditions that are made elsewhere. */
  readonly bindAny: Bind;
}

/** The same value is bound once, however often the condition names it: a list by its identity. */
function remembering(bind: Bind): BindOne {
  const known = new Map<unknown, string>();
  return (value) => {
    const found = known.get(value);
    if (found !== undefined) return found;
    const place = bind(typeof value === 'object' && value !== null ? arrayText(value) : value);
    known.set(value, place);
    return place;
  };
}

const arrayTexts = new WeakMap<readonly string[], string>();

/** PostgreSQL's array literal; most lists are the same for every request (policy, labels, what is known of a caller). */
function arrayText(list: readonly string[]): string {
  const known = arrayTexts.get(list);
  if (known !== undefined) return known;
  const text = `{${list.map((one) => `"${one.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
  arrayTexts.set(list, text);
  return text;
}

function condition(draft: Draft, alias: string): string {
  const { types } = draft;
  const isOfThese = types === undefined ? 'true' : isOneOf({ ...draft, types: undefined }, alias, types);
  return allOf([isOfThese, scopeText(draft, alias), relationText(draft, alias), labelText(draft, alias)]);
}

/** Of a row whose type was asked for already. */
function usualText(draft: Draft, alias: string): string {
  const { caller, types } = draft;
  const isOpen = types?.every((type) => openTypes.includes(type)) === true;
  if (!isOpen && types?.some((type) => specialTypes.has(type)) !== false) return 'false';
  const isFree = isOpen || hasRight(caller, 'patient-all');
  return allOf([
    `not ${alias}.is_deleted`,
    scopeText(draft, alias),
    isFree ? 'true' : `cardinality(${alias}.patients) = 1`,
    isFree ? 'true' : related(draft, `${alias}.patients[1]`),
    hasRight(caller, 'label-all') ? 'true' : `${alias}.labels = '{}'`,
  ]);
}

// Scope

function scopeText(draft: Draft, alias: string): string {
  const { caller, setting } = draft;
  const counted = caller.scopes.filter(
    ({ interactions, type }) =>
      [...setting.letters].some((one) => interactions.includes(one)) &&
      (type === '*' || draft.types?.includes(type) !== false),
  );
  const whole = counted.filter(({ level, constraint }) => level !== 'patient' && constraint.length === 0);
  const rest = counted.filter((scope) => !whole.includes(scope)).map((scope) => oneScope(draft, scope, alias));
  const types = whole.map(({ type }) => type);
  const free = types.includes('*') ? ['true'] : types.length === 0 ? [] : [isOneOf(draft, alias, types)];
  const scoped = anyOf([...free, ...rest]);
  const ofRoles = typesOfRoles(caller);
  return allOf([scoped, ...(ofRoles === undefined ? [] : [isOneOf(draft, alias, ofRoles)])]);
}

function oneScope(draft: Draft, { level, type, constraint }: Scope, alias: string): string {
  const { caller, setting, bind, bindAny } = draft;
  const ofType = type === '*' ? 'true' : isOneOf(draft, alias, [type]);
  const patient = caller.subject?.patient;
  const ofLaunch =
    level !== 'patient' ? 'true' : patient === undefined ? 'false' : isOfPatient({ alias, bind }, patient);
  const isMet = constraint.length === 0 ? 'true' : (setting.constraint(type, constraint)?.(alias, bindAny) ?? 'false');
  return allOf([ofType, ofLaunch, isMet]);
}

function isOfPatient({ alias, bind }: { alias: string; bind: BindOne }, patient: string): string {
  const own = `${alias}.type = 'Patient' and 'Patient/' || ${alias}.id = ${bind(patient)}::text`;
  return `(${alias}.type = any (${bind(openTypes)}::text[]) or ${alias}.patients = array[${bind(patient)}::text] or ${own})`;
}

function isOneOf({ bind, types: known }: Draft, alias: string, types: readonly string[]): string {
  if (known?.every((type) => types.includes(type)) === true) return 'true';
  if (known?.some((type) => types.includes(type)) === false) return 'false';
  return types.length === 1
    ? `${alias}.type = ${bind(types[0])}::text`
    : `${alias}.type = any (${bind(types)}::text[])`;
}

// Relation

/** Types that are decided by something else than whose record it is. */
const specialTypes: ReadonlySet<string> = new Set([...openTypes, 'Binary', 'Subscription', 'Basic', 'AuditEvent']);

function relationText(draft: Draft, alias: string): string {
  const { caller, types, bind } = draft;
  if (types?.every((type) => openTypes.includes(type)) === true) return 'true';
  const record = ofRecord(draft, alias);
  if (types?.some((type) => specialTypes.has(type)) === false) {
    if (record === 'true') return 'true';
    return `case when cardinality(${alias}.patients) = 1 then ${related(draft, `${alias}.patients[1]`)} else ${record} end`;
  }
  return `case when ${alias}.type = any (${bind(openTypes)}::text[]) then true
    when ${alias}.type = 'Binary' then ${binaryText(draft, alias)}
    when ${alias}.type = 'Subscription' then ${subscriptionText(draft, alias)}
    when ${alias}.type = 'Basic' and ${alias}.id like '${clientIdPrefix}%' then ${hasRight(caller, 'client-manage')}
    when ${alias}.type = 'AuditEvent' then ${hasRight(caller, 'audit-read')}
    ${record === 'true' ? '' : `when cardinality(${alias}.patients) = 1 then ${related(draft, `${alias}.patients[1]`)}`}
    else ${record} end`;
}

function subscriptionText({ caller, bind }: Draft, alias: string): string {
  if (hasRight(caller, 'subscription-all')) return 'true';
  return `${alias}.id in (select o.subscription from subscription_owner o where o.owner = ${bind(callerKey(caller))}::text)`;
}

function ofRecord(draft: Draft, alias: string): string {
  if (hasRight(draft.caller, 'patient-all')) return 'true';
  return `access_of_record(${alias}.type, ${alias}.id, ${alias}.patients, ${asker(draft)})`;
}

/** The usual row: one look at the relations of its patient to the caller: something that counts, and no objection. */
function related(draft: Draft, patient: string): string {
  const { caller, setting, bind } = draft;
  if (emergencyOf(draft) !== null) return `access_related(${patient}, ${asker(draft)})`;
  const own = ownPatient(caller);
  const at = `${bind(setting.nowMs)}::bigint`;
  const late = `case when x.ground like 'stay%' or x.ground like 'place%' then ${bind(setting.graceMs)}::bigint else 0 end`;
  const grounds = groundsOf(caller);
  const byRelation = `(select coalesce(bool_or(x.ground = any (${bind(grounds)}::text[])), false)
      and not coalesce(bool_or(x.ground = 'objection'), false)
    from access_relation x where x.patient = ${patient} and x.who = any (${who(draft)})
      and x.lo <= ${at} and x.hi > ${at} - ${late})`;
  return anyOf([
    ...(own === undefined ? [] : [`${patient} = ${bind(own)}::text`]),
    ...(grounds.length === 0 ? [] : [byRelation]),
  ]);
}

/** Broken glass, while it lasts: the patient for whom. That he has not refused it is asked with his relations. */
function emergencyOf({ caller, setting }: Draft): string | null {
  const { breakGlass } = caller;
  const isOpen = breakGlass !== undefined && breakGlass.untilMs > setting.nowMs && hasRight(caller, 'break-glass');
  return isOpen ? breakGlass.patient : null;
}

/** National numbers by which the caller is known. */
export function namesOf({ subject }: Caller): readonly string[] {
  if (subject === undefined) return noList;
  const known = namesKnown.get(subject);
  if (known !== undefined) return known;
  const { rpps, finess } = subject;
  const names = [
    ...(rpps === undefined ? [] : [`rpps|${rpps}`]),
    ...(finess === undefined ? [] : [`finess|${finess}`]),
  ];
  namesKnown.set(subject, names);
  return names;
}

const namesKnown = new WeakMap<Subject, readonly string[]>();
const noList: readonly string[] = [];

/**
 * Everything that the caller is known as, and `*`; found out once in a statement. Only people have roles: whoever is known by the number of
 * an organisation alone is spared the function, which costs more than the rest.
 */
function who({ caller, setting, bind }: Draft): string {
  const names = `${bind(namesOf(caller))}::text[]`;
  const at = `${bind(setting.nowMs)}::bigint`;
  if (caller.subject?.rpps !== undefined) return `(select access_who(${names}, ${at}) || '*'::text)::text[]`;
  const known = `select i.reference from access_identity i where i.known_as = any (${names}) and i.lo <= ${at} and i.hi > ${at}`;
  return `(select ${names} || '*'::text || array(${known}))::text[]`;
}

/** The same as one value, for the functions of migrations/0036. */
function asker(draft: Draft): string {
  const { caller, setting, bind } = draft;
  const values = [
    `${bind(namesOf(caller))}::text[]`,
    `${bind(groundsOf(caller))}::text[]`,
    `${bind(ownPatient(caller) ?? null)}::text`,
    `${bind(emergencyOf(draft))}::text`,
    `${bind(setting.nowMs)}::bigint`,
    `${bind(setting.graceMs)}::bigint`,
    String(hasRight(caller, 'patient-all')),
  ];
  return `row(${values.join(', ')})::access_asker`;
}

/** By the documents that it is the content of: all of them are seen, and there is one. */
function binaryText(binary: Draft, alias: string): string {
  const draft: Draft = { ...binary, types: undefined };
  const rows = `access_content c join resource d
      on d.type = split_part(c.source, '/', 1) and d.id = split_part(c.source, '/', 2)
    where c.binary_id = ${alias}.id and not d.is_deleted`;
  const seen = allOf([scopeText(draft, 'd'), ofRecord(draft, 'd'), labelText(draft, 'd')]);
  const hidden = `not exists (select from ${rows} and not (${seen}))`;
  return hasRight(draft.caller, 'patient-all') ? hidden : `(exists (select from ${rows}) and ${hidden})`;
}

// Labels

function labelText(draft: Draft, alias: string): string {
  const { caller, bind } = draft;
  if (hasRight(caller, 'label-all')) return 'true';
  const seen = `${bind(labelsSeenBy(rolesOf(caller)))}::text[]`;
  const inEmergency = `${bind(emergencyOf(draft) === null ? noList : labelsSeenInEmergency())}::text[]`;
  const row = `${alias}.labels, ${alias}.authors, ${alias}.patients`;
  // An application is the author of what its organisation wrote, a person of what he wrote himself.
  return `(${alias}.labels = '{}' or access_of_label(${row}, ${seen}, ${inEmergency}, ${caller.kind !== 'client'}, ${asker(draft)}))`;
}

function anyOf(texts: readonly string[]): string {
  if (texts.includes('true')) return 'true';
  const asked = texts.filter((text) => text !== 'false');
  return asked.length === 0 ? 'false' : asked.length === 1 ? (asked[0] ?? 'false') : `(${asked.join(' or ')})`;
}

function allOf(texts: readonly string[]): string {
  if (texts.includes('false')) return 'false';
  const asked = texts.filter((text) => text !== 'true');
  return asked.length === 0 ? 'true' : asked.length === 1 ? (asked[0] ?? 'true') : `(${asked.join(' and ')})`;
}
