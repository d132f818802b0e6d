/**
 * French national identifiers: form and key of the number, by the system in its URI or OID form.
 *
 * All that is found is a warning. A wrong key says that a number was mistyped or made up, not which one was meant, and the
 * record is as true without it: to refuse the stay because of it would lose the stay. Every published French example has
 * made-up numbers. That an identity is not qualified is for people to mend (rule RUP-38); a search never finds a wrong
 * number by another's.
 */
import { isObject, type Members } from '../../../fhir/index.ts';
import type { Item } from '../../profiles/items.ts';
import { addFault, type ProfileJudge } from '../../profiles/judge.ts';
import type { Run } from '../../profiles/run.ts';
import { frenchTexts } from './texts.ts';
import { judgeAdeli, judgeFiness, judgeNir, type JudgeNumber, judgeRpps, judgeSirene } from './numbers.ts';

interface Register {
  readonly name: string;
  readonly judge: JudgeNumber;
}

const nir: Register = { name: 'INS (NIR)', judge: judgeNir };
const rpps: Register = { name: 'RPPS', judge: judgeRpps };
const adeli: Register = { name: 'ADELI', judge: judgeAdeli };
const finess: Register = { name: 'FINESS', judge: judgeFiness };
const sirene: Register = { name: 'SIREN/SIRET', judge: judgeSirene };

/** By system. Of NIA, the number of those who wait for their NIR, the form and key are the same. */
const registers: ReadonlyMap<string, Register> = new Map([
  ...['8', '9', '10', '11'].map((arc) => [`urn:oid:1.2.250.1.213.1.4.${arc}`, nir] as const),
  ['https://rpps.esante.gouv.fr', rpps],
  ['https://adeli.esante.gouv.fr', adeli],
  ['https://finess.esante.gouv.fr', finess],
  ['https://sirene.fr', sirene],
  ['urn:oid:1.3.2', sirene],
]);

/** National forms in one OID each: the first digit says which register the rest is of. */
const prefixed: ReadonlyMap<string, Readonly<Record<string, Register>>> = new Map([
  ['urn:oid:1.2.250.1.71.4.2.1', { '8': rpps, '0': adeli }],
  ['urn:oid:1.2.250.1.71.4.2.2', { '1': finess, '2': sirene, '3': sirene }],
]);

const testIns: ReadonlySet<unknown> = new Set(['urn:oid:1.2.250.1.213.1.4.10', 'urn:oid:1.2.250.1.213.1.4.11']);

export function judgeFrenchIdentifier(_judge: ProfileJudge, item: Item, run: Run): void {
  if (!isObject(item.value)) return;
  const { system, value } = item.value;
  if (typeof system !== 'string' || typeof value !== 'string') return;
  const number = value.replace(/\s+/g, '').toUpperCase();
  const register = registers.get(system);
  const inner = register ?? prefixed.get(system)?.[number.charAt(0)];
  if (inner === undefined) return;
  const fault = inner.judge(register === undefined ? number.slice(1) : number);
  if (fault !== undefined) warn(run, item, frenchTexts[fault](inner.name));
  if (testIns.has(system)) warn(run, item, frenchTexts.testIns);
}

function warn(run: Run, item: Item, texts: { readonly text: string; readonly french: string }): void {
  addFault(run, item, { severity: 'warning', code: 'business-rule', ...texts });
}

const reliability = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability';
/** NIR and NIA, and their forms for tests. */
const insSystems: ReadonlySet<unknown> = new Set(
  ['8', '9', '10', '11'].map((arc) => `urn:oid:1.2.250.1.213.1.4.${arc}`),
);

/** A qualified identity has its number; a number that says it is an INS belongs to a qualified identity. */
export function judgeIdentity(_judge: ProfileJudge, patient: Item, run: Run): void {
  if (!isObject(patient.value)) return;
  const status = statusOf(patient.value);
  if (status === undefined) return;
  const ins = objectsIn(patient.value['identifier']).filter(({ system }) => insSystems.has(system));
  if (status === 'VALI' && ins.length === 0) warn(run, patient, frenchTexts.qualifiedWithoutIns);
  if (status !== 'VALI' && ins.some(isCalledIns)) warn(run, patient, frenchTexts.insNotQualified(status));
}

/** FR Core 2.1.0 had the billing number under the same OID: what its type tells decides. */
function isCalledIns({ type }: Members): boolean {
  const codings = isObject(type) ? objectsIn(type['coding']) : [];
  return codings.some(({ code }) => typeof code === 'string' && code.startsWith('INS-NI'));
}

/** The code of identityStatus. */
function statusOf(patient: Members): string | undefined {
  const whole = objectsIn(patient['extension']).find(({ url }) => url === reliability);
  const part = objectsIn(whole?.['extension']).find(({ url }) => url === 'identityStatus');
  const coding = part?.['valueCoding'];
  const code = isObject(coding) ? coding['code'] : part?.['valueCode'];
  return typeof code === 'string' && /^[A-Z]{4}$/.test(code) ? code : undefined;
}

function objectsIn(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
