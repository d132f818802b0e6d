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
import { type Caller, callerKey, hasRight, mayEverything } from './caller.ts';
import { labelsSeenBy, labelsSeenInEmergency } from './labels.ts';
import { groundsOf, openTypes, ownPatient, rolesOf, typesOfRoles } from './policy.ts';
import type { Scope } from './scope.ts';

/** What the row is: the current version of what is there; any current row, deletions too; a former version. */
export type RowKind = 'current' | 'stored' | 'former';

type Bind = (value: unknown) => string;

/** A condition on a row under the alias; `bind` gives the placeholder of a value. `true`: no condition. */
export type Visible = (alias: string, bind: Bind, row?: RowKind) => string;

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
  return (alias, bind, row = 'current') => {
    const draft: Draft = { caller, setting, bind: remembering(bind) };
    const before = `${alias}_before`;
    const former = `exists (select from version ${before} where ${before}.rid = ${alias}.rid
      and ${before}.version = ${alias}.version - 1 and ${condition(draft, before, 'former')})`;
    switch (row) {
      case 'current':
        return condition(draft, alias, 'current');
      // A deletion says no more than what was deleted: whoever could not see that never hears of it.
      case 'stored':
        return `case when ${alias}.is_deleted then ${former} else ${condition(draft, alias, 'current')} end`;
      case 'former':
        return `case when ${alias}.method = 'DELETE' then ${former} else ${condition(draft, alias, 'former')} end`;
    }
  };
}

interface Draft {
  readonly caller: Caller;
  readonly setting: VisibleSetting;
  readonly bind: Bind;
}

/** The same value is bound once, however often the condition names it. */
function remembering(bind: Bind): Bind {
  const known = new Map<string, string>();
  return (value) => {
    const name = JSON.stringify(value);
    const place = known.get(name) ?? bind(value);
    known.set(name, place);
    return place;
  };
}

function condition(draft: Draft, alias: string, row: RowKind): string {
  const parts = [scopeText(draft, alias, row), relationText(draft, alias), labelText(draft, alias)];
  const asked = parts.filter((part) => part !== 'true');
  return asked.length === 0 ? 'true' : asked.includes('false') ? 'false' : `(${asked.join(' and ')})`;
}

// Scope

function scopeText(draft: Draft, alias: string, row: RowKind): string {
  const { caller, setting } = draft;
  const counted = caller.scopes.filter(({ interactions }) =>
    [...setting.letters].some((one) => interactions.includes(one)),
  );
  const whole = counted.filter(({ level, constraint }) => level !== 'patient' && constraint.length === 0);
  const rest = counted.filter((scope) => !whole.includes(scope)).map((scope) => oneScope(draft, scope, { alias, row }));
  const types = whole.map(({ type }) => type);
  const free = types.includes('*') ? ['true'] : types.length === 0 ? [] : [isOneOf(draft, alias, types)];
  const scoped = anyOf([...free, ...rest]);
  const ofRoles = typesOfRoles(caller);
  return allOf([scoped, ...(ofRoles === undefined ? [] : [isOneOf(draft, alias, ofRoles)])]);
}

/** Constraints are asked of keys, which former versions have none of: then they are not seen. */
function oneScope(
  { caller, setting, bind }: Draft,
  { level, type, constraint }: Scope,
  { alias, row }: { readonly alias: string; readonly row: RowKind },
): string {
  const ofType = type === '*' ? 'true' : `${alias}.type = ${bind(type)}::text`;
  const patient = caller.subject?.patient;
  const ofLaunch =
    level !== 'patient' ? 'true' : patient === undefined ? 'false' : isOfPatient({ alias, bind }, patient);
  const isMet = constraint.length === 0 ? 'true' : constraintText({ setting, bind }, { type, constraint, alias, row });
  return allOf([ofType, ofLaunch, isMet]);
}

function constraintText(
  { setting, bind }: Pick<Draft, 'setting' | 'bind'>,
  { type, constraint, alias, row }: Pick<Scope, 'type' | 'constraint'> & { alias: string; row: RowKind },
): string {
  if (row === 'former') return 'false';
  return setting.constraint(type, constraint)?.(alias, bind) ?? 'false';
}

function isOfPatient({ alias, bind }: { alias: string; bind: Bind }, patient: string): string {
  const own = `${alias}.type = 'Patient' and 'Patient/' || ${alias}.id = ${bind(patient)}::text`;
  return `(${alias}.type = any (${bind(openTypes)}::text[]) or ${alias}.patients = array[${bind(patient)}::text] or ${own})`;
}

function isOneOf({ bind }: Draft, alias: string, types: readonly string[]): string {
  return types.length === 1
    ? `${alias}.type = ${bind(types[0])}::text`
    : `${alias}.type = any (${bind(types)}::text[])`;
}

// Relation

function relationText(draft: Draft, alias: string, ofDocument = false): string {
  const { caller, bind } = draft;
  const isOfAll = hasRight(caller, 'patient-all');
  const subscription = hasRight(caller, 'subscription-all')
    ? 'true'
    : `${alias}.id in (select o.subscription from subscription_owner o where o.owner = ${bind(callerKey(caller))}::text)`;
  const binary = ofDocument ? 'false' : binaryText(draft, alias, isOfAll);
  const record = isOfAll ? 'true' : ofRecord(draft, alias);
  return `case when ${alias}.type = any (${bind(openTypes)}::text[]) then true
    when ${alias}.type = 'Binary' then ${binary}
    when ${alias}.type = 'Subscription' then ${subscription}
    when ${alias}.type = 'AuditEvent' then ${hasRight(caller, 'audit-read')}
    else ${record} end`;
}

/** A patient by himself, not by those whom he is linked to; what belongs to no patient is nobody's. */
function ofRecord(draft: Draft, alias: string): string {
  const another = `${alias}_of`;
  return `case when ${alias}.type = 'Patient' then ${related(draft, `'Patient/' || ${alias}.id`)}
    when cardinality(${alias}.patients) = 1 then ${related(draft, `${alias}.patients[1]`)}
    else cardinality(${alias}.patients) > 0 and not exists (
      select from unnest(${alias}.patients) as ${another}(patient) where not ${related(draft, `${another}.patient`)}) end`;
}

/** One look at the relations of the patient to the caller: something that counts, and no objection. */
function related(draft: Draft, patient: string): string {
  const { caller, setting, bind } = draft;
  const own = ownPatient(caller);
  const grounds = groundsOf(caller);
  const at = `${bind(setting.nowMs)}::bigint`;
  const late = `case when x.ground like 'stay%' or x.ground like 'place%' then ${bind(setting.graceMs)}::bigint else 0 end`;
  const byRelation = `(select coalesce(bool_or(x.ground = any (${bind(grounds)}::text[])), false)
      and not coalesce(bool_or(x.ground = 'objection'), false)
    from access_relation x where x.patient = ${patient} and x.who = any (${who(draft)})
      and x.lo <= ${at} and x.hi > ${at} - ${late})`;
  const emergency = emergencyText(draft, patient);
  return anyOf([
    ...(own === undefined ? [] : [`${patient} = ${bind(own)}::text`]),
    ...(grounds.length === 0 ? [] : [byRelation]),
    ...(emergency === undefined ? [] : [emergency]),
  ]);
}

/** Broken glass, while it lasts and only for this patient; never over what he has refused. */
function emergencyText(draft: Draft, patient: string): string | undefined {
  const { caller, setting, bind } = draft;
  const { breakGlass } = caller;
  if (breakGlass === undefined || breakGlass.untilMs <= setting.nowMs || !hasRight(caller, 'break-glass'))
    return undefined;
  const at = `${bind(setting.nowMs)}::bigint`;
  return `(${patient} = ${bind(breakGlass.patient)}::text and not exists (
    select from access_relation o where o.patient = ${bind(breakGlass.patient)}::text and o.who = any (${who(draft)})
      and o.ground in ('objection', 'emergency-objection') and o.lo <= ${at} and o.hi > ${at}))`;
}

/** Everything that the caller is known as, and `*`; found out once in a statement. */
function who({ caller, setting, bind }: Draft): string {
  const { rpps, finess } = caller.subject ?? {};
  const names = [
    ...(rpps === undefined ? [] : [`rpps|${rpps}`]),
    ...(finess === undefined ? [] : [`finess|${finess}`]),
  ];
  return `(select access_who(${bind(names)}::text[], ${bind(setting.nowMs)}::bigint) || '*'::text)::text[]`;
}

/** By the documents that it is the content of: all of them are seen, and there is one. */
function binaryText(draft: Draft, alias: string, isOfAll: boolean): string {
  const [content, document] = [`${alias}_content`, `${alias}_document`];
  const rows = `access_content ${content} join resource ${document}
      on ${document}.type = split_part(${content}.source, '/', 1) and ${document}.id = split_part(${content}.source, '/', 2)
    where ${content}.binary_id = ${alias}.id and not ${document}.is_deleted`;
  const parts = [
    scopeText(draft, document, 'current'),
    relationText(draft, document, true),
    labelText(draft, document),
  ];
  const hidden = `not exists (select from ${rows} and not ${allOf(parts)})`;
  return isOfAll ? hidden : `exists (select from ${rows}) and ${hidden}`;
}

// Labels

function labelText(draft: Draft, alias: string): string {
  const { caller, bind } = draft;
  if (hasRight(caller, 'label-all')) return 'true';
  const seen = bind(labelsSeenBy(rolesOf(caller)));
  const emergency = emergencyLabels(draft, alias);
  return anyOf([
    `${alias}.labels = '{}'`,
    `${alias}.labels <@ ${seen}::text[]`,
    authorText(draft, alias),
    ...(emergency === undefined ? [] : [emergency]),
  ]);
}

/** A person is the author of what he wrote himself, an application of what its organisation wrote. */
function authorText(draft: Draft, alias: string): string {
  if (draft.caller.kind === 'client') return `${alias}.authors && ${who(draft)}`;
  const author = `${alias}_author`;
  return `exists (select from unnest(${alias}.authors) as ${author}(who)
    where ${author}.who not like 'Organization/%' and ${author}.who = any (${who(draft)}))`;
}

function emergencyLabels(draft: Draft, alias: string): string | undefined {
  const { caller, bind } = draft;
  const patient = caller.breakGlass?.patient ?? '';
  const isOpen = emergencyText(draft, `${bind(patient)}::text`);
  if (isOpen === undefined) return undefined;
  return `(${alias}.patients = array[${bind(patient)}::text] and ${alias}.labels <@ ${bind(labelsSeenInEmergency())}::text[] and ${isOpen})`;
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
