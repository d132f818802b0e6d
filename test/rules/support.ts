/** The shipped rules, and a small record to judge them on. All persons and numbers are made up. */
import { readdirSync, readFileSync } from 'node:fs';
import { type Definitions, loadDefinitions, type Resource } from '../../src/fhir/index.ts';
import {
  type Case,
  createPlace,
  inputQueries,
  type JudgmentResult,
  judge,
  type Place,
  type Rule,
  type RuleSetReading,
  readRuleSet,
  resolveGp,
} from '../../src/rules/index.ts';

export const definitions: Definitions = loadDefinitions();
export const paris: Place = createPlace('Europe/Paris');
const profiles = new URL('../../profiles/', import.meta.url);

export function readProfiles(folder: string): readonly Resource[] {
  const directory = new URL(`${folder}/`, profiles);
  return readdirSync(directory).map((name) => JSON.parse(readFileSync(new URL(name, directory), 'utf8')) as Resource);
}

/** As the server does with its own parser: every parameter of the query exists. */
export function checkQuery(type: string, query: string) {
  const known = definitions.searchParameters(type);
  return query
    .split('&')
    .map((part) => part.split('=')[0] ?? '')
    .filter((code) => !known.has(code))
    .map((code) => ({
      severity: 'error' as const,
      code: 'not-supported',
      text: `${type} has no search parameter "${code}"`,
    }));
}

export function read(resource: Resource): RuleSetReading {
  return readRuleSet(resource, { definitions, checkQuery });
}

const shipped: readonly Rule[] = readProfiles('rules').flatMap((resource) => {
  const reading = read(resource);
  if (reading.kind === 'faults') throw new Error(JSON.stringify(reading.issues));
  return reading.ruleSet.rules;
});

export function ruleOf(code: string): Rule {
  const rule = shipped.find((one) => one.code === code);
  if (rule === undefined) throw new Error(`there is no rule ${code}`);
  return rule;
}

export interface Scene {
  readonly now: string;
  readonly focus: Resource;
  readonly patient?: Resource;
  readonly plan?: Resource;
  readonly team?: readonly Resource[];
  readonly since?: string;
  readonly metSince?: string;
  readonly inputs?: Readonly<Record<string, readonly Resource[]>>;
  readonly place?: Place;
  readonly parameters?: Case['parameters'];
}

export function caseOf(rule: Rule, scene: Scene): Case {
  const { now, focus, patient = somePatient(), team = [someTeam()], place = paris, inputs = {}, ...rest } = scene;
  const nowMs = Date.parse(now);
  const gp = resolveGp({ patient, teams: team, nowMs, dates: place.dates }, []);
  const loaded = Object.fromEntries(rule.inputs.map(({ name }) => [name, inputs[name] ?? []]));
  return { ...rest, focus, patient, team, gp, nowMs, place, inputs: loaded };
}

export function judgeScene(code: string, scene: Scene): JudgmentResult {
  const rule = ruleOf(code);
  return judge(rule, caseOf(rule, scene));
}

/** `state`, or `none`, or `error`. */
export function stateOf(code: string, scene: Scene): string {
  const result = judgeScene(code, scene);
  return result.kind === 'judgment' ? result.state : result.kind;
}

export function queriesOf(code: string, scene: Scene): Readonly<Record<string, string>> {
  const rule = ruleOf(code);
  return Object.fromEntries(
    inputQueries(rule, caseOf(rule, scene)).map(({ name, type, query }) => [name, `${type}?${query}`]),
  );
}

type Parts = Readonly<Record<string, unknown>>;

export function somePatient(parts: Parts = {}): Resource {
  return { resourceType: 'Patient', id: 'p1', meta: recorded('1', '2026-01-05T09:00:00Z'), ...parts };
}

export const qualified = {
  extension: [
    {
      url: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability',
      extension: [
        {
          url: 'identityStatus',
          valueCoding: { system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445', code: 'VALI' },
        },
      ],
    },
  ],
  identifier: [{ use: 'official', system: 'urn:oid:1.2.250.1.213.1.4.8', value: '279035121518989' }],
};

export function someStay(parts: Parts = {}): Resource {
  return {
    resourceType: 'Encounter',
    id: 'stay-1',
    meta: recorded('2', '2026-03-12T14:31:00+01:00'),
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    subject: { reference: 'Patient/p1' },
    period: { start: '2026-03-11T08:00:00+01:00', end: '2026-03-12T14:30:00+01:00' },
    ...parts,
  };
}

export function someLetter(creation: string | undefined, parts: Parts = {}): Resource {
  return {
    resourceType: 'DocumentReference',
    id: 'letter-1',
    meta: recorded('1', creation?.includes('T') === true ? creation : '2026-03-12T18:00:00+01:00'),
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '11490-0' }] },
    subject: { reference: 'Patient/p1' },
    content: [{ attachment: { contentType: 'application/pdf', ...(creation === undefined ? {} : { creation }) } }],
    context: { encounter: [{ reference: 'Encounter/stay-1' }] },
    ...parts,
  };
}

export function someMessage(sent: string | undefined, parts: Parts = {}): Resource {
  return {
    resourceType: 'Communication',
    id: 'message-1',
    meta: recorded('1', sent ?? '2026-03-12T18:10:00+01:00'),
    status: 'completed',
    subject: { reference: 'Patient/p1' },
    recipient: [{ reference: 'PractitionerRole/gp' }],
    about: [{ reference: 'DocumentReference/letter-1' }],
    ...(sent === undefined ? {} : { sent }),
    ...parts,
  };
}

const functions =
  'https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction';
const roles = 'https://mos.esante.gouv.fr/NOS/TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge';

export const codingOf = {
  gp: { system: functions, code: 'PCP' },
  discharging: { system: functions, code: 'DISPHYS' },
  secretary: { system: roles, code: '331' },
  coordinator: { system: roles, code: '330' },
};

export function member(role: keyof typeof codingOf, reference: string, parts: Parts = {}): object {
  return { role: [{ coding: [codingOf[role]] }], member: { reference }, ...parts };
}

export function someTeam(parts: Parts = {}): Resource {
  return {
    resourceType: 'CareTeam',
    id: 'team-1',
    meta: recorded('1', '2026-03-02T09:00:00+01:00'),
    status: 'active',
    subject: { reference: 'Patient/p1' },
    period: { start: '2026-03-02T09:00:00+01:00' },
    participant: [member('gp', 'PractitionerRole/gp'), member('coordinator', 'PractitionerRole/nurse')],
    ...parts,
  };
}

export function recorded(versionId: string, lastUpdated: string): object {
  return { versionId, lastUpdated };
}
