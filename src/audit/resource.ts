/**
 * A row of the log as an AuditEvent, by IHE Basic Audit Log Patterns (https://profiles.ihe.net/ITI/BALP): the profile of its interaction,
 * with a patient where one is concerned. What was refused or failed has the same shape and claims no profile; history, operations and
 * what is ours have no profile in the guide.
 *
 * Source and destination are those of the data: of a read the server is the source, of everything else the client.
 */
import type { AuditEvent, AuditEventAgent, AuditEventEntity, Coding } from 'fhir/r4.js';
import type { AuditRow } from './note.ts';

export interface AuditSetting {
  /** The FHIR base. */
  readonly baseUrl: string;
}

const dicom = 'http://dicom.nema.org/resources/ontology/DCM';
const interactions = 'http://hl7.org/fhir/restful-interaction';
const ours = 'https://suture.example/fhir/CodeSystem/audit-subtype';
const balp = 'https://profiles.ihe.net/ITI/BALP';

type Action = 'C' | 'R' | 'U' | 'D' | 'E';

interface Shape {
  readonly action: Action;
  /** Of the guide, without `IHE.BasicAudit.`; with `Patient` before it where a patient is concerned. */
  readonly profile?: string;
  readonly client: Coding;
  readonly server: Coding;
}

const source = { system: dicom, code: '110153', display: 'Source Role ID' };
const destination = { system: dicom, code: '110152', display: 'Destination Role ID' };
const asked: Shape = { action: 'E', client: source, server: destination };
const written = (action: Action, profile: string): Shape => ({ ...asked, action, profile });
const read: Shape = { action: 'R', profile: 'Read', client: destination, server: source };

const shapes: Readonly<Record<string, Shape>> = {
  read,
  vread: read,
  create: written('C', 'Create'),
  update: written('U', 'Update'),
  patch: written('U', 'Update'),
  delete: {
    action: 'D',
    profile: 'Delete',
    client: { system: dicom, code: '110150', display: 'Application' },
    server: { system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'custodian' },
  },
  'search-type': written('E', 'Query'),
  'search-system': written('E', 'Query'),
};

const restful: ReadonlySet<string> = new Set([
  ...Object.keys(shapes),
  'history-instance',
  'history-type',
  'history-system',
  'operation',
  'transaction',
  'batch',
  'capabilities',
]);

/** The codes that come under an action, for a search by it; of `E` what is left. */
export function codesOfAction(action: string): readonly string[] | undefined {
  if (!/^[CRUDE]$/.test(action)) return undefined;
  const found = Object.entries(shapes).flatMap(([code, shape]) => (shape.action === action ? [code] : []));
  if (action === 'R') return [...found, 'disclose'];
  if (action !== 'E') return found;
  return [
    ...found,
    ...[...restful].filter((code) => shapes[code] === undefined),
    'break-glass',
    'break-glass-end',
    'token',
    'introspect',
  ];
}

export function toAuditEvent(row: AuditRow, setting: AuditSetting): AuditEvent {
  if (row.raw !== null) return { ...(JSON.parse(row.raw) as AuditEvent), id: row.id };
  if (row.code === 'disclose') return disclosure(row, setting);
  const shape = shapes[row.code] ?? asked;
  const { profile } = shape;
  const isDone = row.status < 400;
  const isProfiled = profile !== undefined && isDone && (row.data !== null || row.query !== null);
  const kind = row.patient === null ? '' : 'Patient';
  return {
    resourceType: 'AuditEvent',
    id: row.id,
    meta: metaOf(row, isProfiled ? `${kind}${profile}` : undefined),
    type: typeOf(row),
    subtype: subtypesOf(row),
    action: shape.action,
    recorded: row.recorded_at.toISOString(),
    outcome: isDone ? '0' : row.status < 500 ? '4' : '8',
    ...(isDone ? {} : { outcomeDesc: `HTTP ${row.status}` }),
    ...purposeOf(row),
    agent: [clientAgent(row, shape.client), serverAgent(shape.server, setting), ...personAgent(row)],
    source: sourceOf(setting),
    entity: [...dataEntities(row), ...queryEntity(row), ...patientEntity(row), ...requestEntity(row)],
  };
}

/** `profile`: the end of the name that BALP gives it. */
function metaOf(row: AuditRow, profile: string | undefined): AuditEvent['meta'] {
  return {
    versionId: '1',
    lastUpdated: row.recorded_at.toISOString(),
    ...(profile !== undefined && { profile: [`${balp}/StructureDefinition/IHE.BasicAudit.${profile}`] }),
  };
}

const restOperation = {
  system: 'http://terminology.hl7.org/CodeSystem/audit-event-type',
  code: 'rest',
  display: 'RESTful Operation',
};
const userAuthentication = { system: dicom, code: '110114', display: 'User Authentication' };
const ofTokens: ReadonlySet<string> = new Set(['token', 'introspect']);

function typeOf({ code }: AuditRow): Coding {
  return ofTokens.has(code) ? userAuthentication : restOperation;
}

function subtypesOf({ code, operation }: AuditRow): Coding[] {
  return [
    { system: restful.has(code) ? interactions : ours, code },
    ...(operation === null ? [] : [{ system: ours, code: operation }]),
  ];
}

function purposeOf({ agent, detail, patient }: AuditRow): Pick<AuditEvent, 'purposeOfEvent'> {
  const isEmergency = patient !== null && agent.emergency === patient;
  if (!isEmergency && detail?.reason === undefined) return {};
  const coding = [
    { system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'BTG', display: 'break the glass' },
  ];
  return { purposeOfEvent: [{ coding, ...(detail?.reason && { text: detail.reason }) }] };
}

/** Who acts for itself is the requestor; an application by way of which a person acts is not. */
function clientAgent({ client, who, agent, address }: AuditRow, role: Coding): AuditEventAgent {
  const name = client ?? (agent.kind === 'system' ? 'Suture' : 'unknown');
  return {
    type: { coding: [role] },
    who: { identifier: { value: name }, display: name },
    ...(agent.finess && who === null ? { altId: agent.finess } : {}),
    requestor: who === null,
    ...policyOf(agent),
    network: { address: address ?? 'localhost', type: address === null ? '1' : '2' },
  };
}

/** The token that was used, by its name: never the token itself. */
function policyOf({ tokenId }: AuditRow['agent']): Pick<AuditEventAgent, 'policy'> {
  return tokenId === undefined ? {} : { policy: [`urn:suture:token:${encodeURIComponent(tokenId)}`] };
}

function serverAgent(role: Coding, { baseUrl }: AuditSetting): AuditEventAgent {
  return {
    type: { coding: [role] },
    who: { identifier: { system: 'urn:ietf:rfc:3986', value: baseUrl }, display: 'Suture' },
    requestor: false,
    network: { address: new URL(baseUrl).hostname, type: '1' },
  };
}

function personAgent({ who, agent }: AuditRow): AuditEventAgent[] {
  if (who === null) return [];
  const rpps = who.startsWith('rpps|') ? who.slice('rpps|'.length) : undefined;
  const identity =
    rpps === undefined ? { reference: who } : { identifier: { system: 'https://rpps.esante.gouv.fr', value: rpps } };
  return [
    {
      type: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }],
        text: 'information recipient',
      },
      who: { ...identity, ...(agent.name && { display: agent.name }) },
      requestor: true,
      // The place of work that was chosen, and how surely the person was recognised.
      ...(agent.finess && { altId: agent.finess }),
      ...(agent.assurance && { role: [{ text: agent.assurance }] }),
    },
  ];
}

function sourceOf({ baseUrl }: AuditSetting): AuditEvent['source'] {
  return {
    observer: { identifier: { system: 'urn:ietf:rfc:3986', value: baseUrl }, display: 'Suture' },
    type: [
      {
        system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
        code: '4',
        display: 'Application Server',
      },
    ],
  };
}

const entityTypes = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const entityRoles = 'http://terminology.hl7.org/CodeSystem/object-role';

function dataEntities({ data }: AuditRow): AuditEventEntity[] {
  return (data ?? []).map((reference) => ({
    what: { reference },
    type: { system: entityTypes, code: '2', display: 'System Object' },
    role: { system: entityRoles, code: '4', display: 'Domain Resource' },
  }));
}

/** The request as it came, in base64: what was meant as an attack stays what it was. */
function queryEntity({ query }: AuditRow): AuditEventEntity[] {
  if (query === null) return [];
  return [
    {
      type: { system: entityTypes, code: '2', display: 'System Object' },
      role: { system: entityRoles, code: '24', display: 'Query' },
      query: Buffer.from(query, 'utf8').toString('base64'),
    },
  ];
}

function patientEntity({ patient }: AuditRow): AuditEventEntity[] {
  if (patient === null) return [];
  return [
    {
      what: { reference: patient },
      type: { system: entityTypes, code: '1', display: 'Person' },
      role: { system: entityRoles, code: '1', display: 'Patient' },
    },
  ];
}

function requestEntity({ request }: AuditRow): AuditEventEntity[] {
  if (request === null) return [];
  return [
    {
      what: { identifier: { value: request } },
      type: { system: `${balp}/CodeSystem/BasicAuditEntityType`, code: 'XrequestId' },
    },
  ];
}

/** Something was told to a subscriber: PrivacyDisclosure.Source where it concerns a patient. */
function disclosure(row: AuditRow, setting: AuditSetting): AuditEvent {
  const recipient = row.detail?.recipient ?? 'unknown';
  const { patient } = row;
  return {
    resourceType: 'AuditEvent',
    id: row.id,
    meta: metaOf(row, patient === null ? undefined : 'PrivacyDisclosure.Source'),
    type: { system: dicom, code: '110106', display: 'Export' },
    subtype: [{ system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle', code: 'disclose' }],
    action: 'R',
    recorded: row.recorded_at.toISOString(),
    outcome: '0',
    agent: [
      { ...serverAgent(source, setting), requestor: true },
      {
        type: { coding: [destination] },
        who: { identifier: { value: recipient }, display: recipient },
        requestor: false,
        network: { address: recipient, type: '5' },
      },
    ],
    source: sourceOf(setting),
    entity: [...patientEntity(row), ...dataEntities(row)],
  };
}
