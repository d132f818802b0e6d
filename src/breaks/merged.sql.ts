/** Which patients are one, and the breaks that follow (migrations/0027). */
import type { Queryable } from '../db/index.ts';

export interface Merge {
  readonly patient: string;
  readonly survivor: string;
}

export async function hasMerges(db: Queryable): Promise<boolean> {
  const rows = await db.query<{ there: boolean }>({
    text: `select exists (select 1 from merged_patient) or exists (select 1 from patient_move) as there`,
  });
  return rows[0]?.there ?? false;
}

/** What these patients have said until now, by who said it. */
export async function readSaid(
  db: Queryable,
  sources: readonly string[],
): Promise<readonly (Merge & { readonly said_by: string })[]> {
  return db.query<Merge & { said_by: string }>({
    text: 'select patient, survivor, said_by from merged_patient where said_by = any ($1) order by patient, survivor',
    values: [sources],
  });
}

export async function keepSaid(tx: Queryable, source: string, merges: readonly Merge[]): Promise<void> {
  await tx.query({
    text: `with gone as (delete from merged_patient where said_by = $1
             and (patient, survivor) not in (select * from unnest($2::text[], $3::text[])))
           insert into merged_patient (patient, survivor, said_by)
           select m.patient, m.survivor, $1 from unnest($2::text[], $3::text[]) as m(patient, survivor)
           on conflict do nothing`,
    values: [source, merges.map(({ patient }) => patient), merges.map(({ survivor }) => survivor)],
  });
}

/** Merges that any of these takes part in. */
export async function mergesOf(db: Queryable, patients: readonly string[]): Promise<readonly Merge[]> {
  return db.query<Merge>({
    name: 'merges-of',
    text: `select distinct patient, survivor from merged_patient
           where patient = any ($1) or survivor = any ($1) order by patient, survivor`,
    values: [patients],
  });
}

export interface Move {
  readonly seq: string;
  readonly from: string;
  readonly to: string;
  readonly isUndo: boolean;
}

export async function requestMoves(tx: Queryable, moves: readonly Omit<Move, 'seq'>[]): Promise<void> {
  await tx.query({
    text: `insert into patient_move (from_patient, to_patient, is_undo)
           select * from unnest($1::text[], $2::text[], $3::boolean[])`,
    values: [moves.map(({ from }) => from), moves.map(({ to }) => to), moves.map(({ isUndo }) => isUndo)],
  });
}

/** Takes away the moves that wait for this patient, in order; another judgment waits here until this one is done. */
export async function takeMoves(tx: Queryable, patient: string): Promise<readonly Move[]> {
  const rows = await tx.query<{ seq: string; from_patient: string; to_patient: string; is_undo: boolean }>({
    name: 'take-moves',
    text: `with gone as (delete from patient_move where from_patient = $1 or to_patient = $1 returning *)
           select seq::text as seq, from_patient, to_patient, is_undo from gone order by gone.seq`,
    values: [patient],
  });
  return rows.map(({ seq, from_patient, to_patient, is_undo }) => ({
    ...{ seq, from: from_patient, to: to_patient, isUndo: is_undo },
  }));
}

/** What was remembered of the breaks and foci of one is remembered of the other. */
export async function moveMemory(
  tx: Queryable,
  { from, to }: Pick<Move, 'from' | 'to'>,
  { keys, foci }: { readonly keys: readonly string[]; readonly foci: readonly string[] | undefined },
): Promise<void> {
  await tx.query({
    text: `update break set key = replace(key, ':' || $1 || ':', ':' || $2 || ':'), patient = $2
           where key = any ($3)`,
    values: [from, to, keys],
  });
  await tx.query({
    text: `delete from judgment t using judgment f
           where t.patient = $2 and f.patient = $1 and f.rule = t.rule and f.focus = t.focus`,
    values: [from, to],
  });
  await tx.query({
    text: `update judgment set patient = $2
           where patient = $1 and ($3::text[] is null or split_part(focus, '#', 1) = any ($3))`,
    values: [from, to, foci ?? null],
  });
}
