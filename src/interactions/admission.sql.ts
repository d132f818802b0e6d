/** Rows of what hospitals' messages have said of stays and patients (migrations/0028). */
import type { Queryable } from '../db/index.ts';
import type { StayReport, StoredReport } from '../letters/index.ts';

/** Answers whether it is new. */
export async function addStayReport(db: Queryable, encounter: string, stored: StoredReport): Promise<boolean> {
  const { key, recordedAtMs, report } = stored;
  const rows = await db.query({
    name: 'admission-add-report',
    text: `insert into stay_report (encounter, key, recorded_at, report) values ($1, $2, $3, $4)
      on conflict do nothing
      returning key`,
    values: [encounter, key, new Date(recordedAtMs), JSON.stringify(report)],
  });
  return rows.length > 0;
}

export async function readStayReports(db: Queryable, encounter: string): Promise<readonly StoredReport[]> {
  const rows = await db.query<{ key: string; recorded_at: Date; report: StayReport }>({
    name: 'admission-read-reports',
    text: 'select key, recorded_at, report from stay_report where encounter = $1 order by recorded_at limit 2000',
    values: [encounter],
  });
  return rows.map(({ key, recorded_at, report }) => ({ key, recordedAtMs: recorded_at.getTime(), report }));
}

/** Whether nothing newer has been said of the patient; if so, this is from now on the newest. */
export async function isNewestOfPatient(db: Queryable, patient: string, recordedAtMs: number): Promise<boolean> {
  const rows = await db.query({
    name: 'admission-newest-of-patient',
    text: `insert into patient_report as known (patient, recorded_at) values ($1, $2)
      on conflict (patient, shard) do update set recorded_at = excluded.recorded_at
      where known.recorded_at <= excluded.recorded_at
      returning patient`,
    values: [patient, new Date(recordedAtMs)],
  });
  return rows.length > 0;
}
