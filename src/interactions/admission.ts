/**
 * A hospital's own message (HL7 v2 ADT) into the record, in one transaction: the patient as the newest message has him, the
 * stay as all its reports together have it, and two records of one person made one. Repeated, late or in another order, the
 * messages end in the same record (`letters/admission/stay.ts`).
 */
import { isDeepStrictEqual } from 'node:util';
import type { Encounter, Patient } from 'fhir/r4.js';
import type { Issue } from '../base/index.ts';
import { type Resource, rewriteLinks } from '../fhir/index.ts';
import { type Admission, completePatient, identifierSearch, stayOf } from '../letters/index.ts';
import { everything, type Written } from '../store/index.ts';
import type { Queryable } from '../db/index.ts';
import { addStayReport, isNewestOfPatient, readStayReports } from './admission.sql.ts';
import { bundleText } from './bundle-text.ts';
import { answerStored } from './context.ts';
import { completedTask } from './letter-review.ts';
import { type Ingest, lockEntries, refuse, resolveEntries, type Stored } from './letter-store.ts';
import { mergeInto } from './merge-patients.ts';
import { answerText } from './transaction.ts';
import { onItsOwn, putOf, writeGuarded } from './write.ts';

interface AdmissionRun extends Ingest {
  /** The transaction of the session. */
  readonly tx: Queryable;
}

export async function storeAdmission(run: AdmissionRun, admission: Admission): Promise<Stored> {
  const { entries, prior } = admission;
  // What were recorded after everything else would have the last word for ever.
  if (admission.recordedAtMs > run.context.clock.now() + aheadMaxMs) return refuse('unprocessable', [ahead]);
  await lockEntries(run, entries, prior.length > 0 ? [identifierSearch('Patient', prior)] : []);
  const resolved = await resolveEntries(run, { plan: { entries }, former: undefined });
  if (resolved.kind === 'doubt') return refuse('unprocessable', resolved.reasons);
  const { links, created } = resolved;
  const relink = (resource: Resource): Resource =>
    rewriteLinks(run.context.definitions, resource, (link) => links.get(link) ?? link);
  const made = entries
    .filter(({ fullUrl, match }) => created.has(fullUrl) && !match.kind.startsWith('admitted'))
    .map(({ fullUrl, resource }) => ({ ...relink(resource), id: idOf(links, fullUrl) }));
  const patient = await readPatient(run, admission, { links, created, relink });
  const stay = await readStay(run, admission, { links, created, relink });
  const merged =
    admission.act === 'merge'
      ? await mergeInto(run, patient, prior)
      : ({ kind: 'moved', resources: [patient] } as const);
  if (merged.kind === 'doubt') return refuse('unprocessable', merged.reasons);
  const all = [...made, ...merged.resources, ...(stay === undefined ? [] : [stay])] as readonly Resource[];
  const resources = await changed(run, all);
  const judged = await Promise.all(resources.map((resource) => run.context.validate(resource)));
  const faults = judged.flat().filter(({ severity }) => severity === 'error');
  if (faults.length > 0) return refuse('unprocessable', faults);
  const done = run.incoming.task === undefined ? [] : [completedTask(run.context, run.incoming.task)];
  const written = await writeGuarded(
    run.context,
    run.session,
    [...resources.map((one) => putOf(one)), ...done],
    onItsOwn,
  );
  return answer(run, [`Patient/${patient.id}`, ...(stay ? [`Encounter/${stay.id}`] : [])], written);
}

/** A wrong clock or zone is off by hours, and corrected; a wrong year has the last word until that year. */
const aheadMaxMs = 31 * 86_400_000;

const ahead: Issue = {
  severity: 'error',
  code: 'value',
  text: 'la date d’enregistrement de l’événement est à plus d’un mois dans l’avenir',
  expression: 'EVN-2',
};

/** Without what the record has already, word for word: a message that comes again leaves no new version. */
async function changed({ session }: AdmissionRun, resources: readonly Resource[]): Promise<readonly Resource[]> {
  const nameOf = ({ resourceType, id }: Resource): string => `${resourceType}/${id}`;
  const there = await session.readMany(resources.map(nameOf), everything);
  const stored = new Map(there.map(({ type, id, raw }) => [`${type}/${id}`, JSON.parse(raw) as unknown]));
  return resources.filter((resource) => !isDeepStrictEqual(stored.get(nameOf(resource)), resource));
}

interface Links {
  readonly links: ReadonlyMap<string, string>;
  readonly created: ReadonlySet<string>;
  readonly relink: (resource: Resource) => Resource;
}

function idOf(links: ReadonlyMap<string, string>, fullUrl: string): string {
  return (links.get(fullUrl) ?? '').split('/')[1] ?? '';
}

async function readPatient(run: AdmissionRun, admission: Admission, of: Links): Promise<Patient> {
  const { patientUrl, recordedAtMs, emptied, entries } = admission;
  const id = idOf(of.links, patientUrl);
  const said = of.relink(resourceOf(entries, patientUrl)) as unknown as Patient;
  const isNewest = await isNewestOfPatient(run.tx, id, recordedAtMs);
  const known = of.created.has(patientUrl) ? undefined : await run.session.read('Patient', id, everything);
  return known === undefined
    ? { ...said, id }
    : completePatient(JSON.parse(known.raw) as Patient, said, { isNewest, emptied });
}

async function readStay(
  run: AdmissionRun,
  { stay, entries, key, recordedAtMs }: Admission,
  of: Links,
): Promise<Encounter | undefined> {
  if (stay === undefined) return undefined;
  const id = idOf(of.links, stay.fullUrl);
  const said = of.relink(resourceOf(entries, stay.fullUrl)) as unknown as Encounter;
  const report = of.relink({ resourceType: 'Encounter', ...stay.report.said } as unknown as Resource);
  const { resourceType: _type, ...relinked } = report as unknown as Encounter;
  const isNew = await addStayReport(run.tx, id, { key, recordedAtMs, report: { ...stay.report, said: relinked } });
  const stored = of.created.has(stay.fullUrl) ? undefined : await run.session.read('Encounter', id, everything);
  const known = stored === undefined ? bare(said, id) : (JSON.parse(stored.raw) as Encounter);
  const reports = await readStayReports(run.tx, id);
  return stayOf(known, reports, isNew ? reports.filter((one) => one.key !== key) : reports);
}

/** A stay of which nothing is known but what its reports say. */
function bare({ resourceType, identifier, subject, class: kind }: Encounter, id: string): Encounter {
  return {
    resourceType,
    id,
    ...(identifier && { identifier }),
    status: 'in-progress',
    class: kind,
    ...(subject && { subject }),
  };
}

function resourceOf(entries: Admission['entries'], fullUrl: string): Resource {
  const entry = entries.find((one) => one.fullUrl === fullUrl);
  if (entry === undefined) throw new Error('an admission names what is not among its entries');
  return entry.resource;
}

async function answer(
  { context, session }: AdmissionRun,
  references: readonly string[],
  written: readonly Written[],
): Promise<Stored> {
  const outcomes = new Map(written.map((one) => [`${one.type}/${one.id}`, one.outcome]));
  const there = await session.readMany(references, everything);
  const inOrder = references.flatMap((reference) => there.filter(({ type, id }) => `${type}/${id}` === reference));
  const entries = inOrder.map((stored) => {
    const status = outcomes.get(`${stored.type}/${stored.id}`) === 'created' ? 201 : 200;
    const location = `${context.baseUrl}/${stored.type}/${stored.id}/_history/${stored.version}`;
    return { status, location, text: answerText({ ...answerStored(status, stored), location }) };
  });
  const last = entries.at(-1);
  return {
    kind: 'stored',
    answer: {
      status: entries.some(({ status }) => status === 201) ? 201 : 200,
      ...(last && { location: last.location }),
      body: bundleText({ type: 'transaction-response', entries: entries.map(({ text }) => text) }),
    },
  };
}
