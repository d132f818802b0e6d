/** Rows of replaced versions of rule sets (migrations/0025). */
import type { Queryable } from '../db/index.ts';

export interface HeldRuleSet {
  /** Id of the PlanDefinition. */
  readonly plan: string;
  readonly canonical: string;
  /** Of the resource. */
  readonly version: number;
}

export async function readHeld(db: Queryable): Promise<readonly HeldRuleSet[]> {
  return db.query<HeldRuleSet>({
    name: 'read-held-rule-sets',
    text: 'select plan, canonical, version from held_rule_set order by plan, version',
  });
}

export async function keepHeld(db: Queryable, { plan, canonical, version }: HeldRuleSet): Promise<void> {
  await db.query({
    text: `insert into held_rule_set (plan, canonical, version) values ($1, $2, $3)
           on conflict (plan, canonical, shard) do update set version = excluded.version`,
    values: [plan, canonical, version],
  });
}

/** Of the plan; with a canonical only that one. Answers how many there were. */
export async function dropHeld(db: Queryable, plan: string, canonical?: string): Promise<number> {
  const rows = await db.query({
    text: `delete from held_rule_set where plan = $1 and ($2::text is null or canonical = $2) returning plan`,
    values: [plan, canonical ?? null],
  });
  return rows.length;
}

/** Which of these versions of PlanDefinitions replaced one that is held now. */
export async function heldBefore(
  db: Queryable,
  changes: readonly { readonly id: string; readonly version: number }[],
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ plan: string; version: number }>({
    text: `select h.plan, c.version from held_rule_set h
           join unnest($1::text[], $2::integer[]) as c(plan, version) on c.plan = h.plan and c.version = h.version + 1`,
    values: [changes.map(({ id }) => id), changes.map(({ version }) => version)],
  });
  return new Set(rows.map(({ plan, version }) => `${plan}/${version}`));
}

/** A page of all patients, by id. */
export async function listPatients(db: Queryable, afterId: string, limit: number): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>({
    text: `select id from resource where type = 'Patient' and not is_deleted and id > $1 order by id limit $2`,
    values: [afterId, limit],
  });
  return rows.map(({ id }) => id);
}

export async function countPatients(db: Queryable): Promise<number> {
  const rows = await db.query<{ count: number }>({
    text: `select count(*)::integer as count from resource where type = 'Patient' and not is_deleted`,
  });
  return rows[0]?.count ?? 0;
}
