/** Valid resources, realistic and made up, with the corners of the JSON form that validators stumble over. */
type Data = Record<string, unknown>;

export const patient: Data = {
  resourceType: 'Patient',
  id: 'p1',
  meta: {
    versionId: '2',
    lastUpdated: '2026-03-02T16:20:00.123+01:00',
    profile: ['https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-ins'],
    security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' }],
    tag: [{ system: 'https://suture.example/fhir/CodeSystem/territory', code: 'haute-rive' }],
  },
  text: {
    status: 'generated',
    div: '<div xmlns="http://www.w3.org/1999/xhtml" lang="fr"><h1>Lefèvre Odile</h1><p class="x">Née le 29 février 1952 &amp; suivie<br/>à <a href="https://example.org/a?b=1&amp;c=2">Haute-Rive</a> &lt;75&#160;ans&gt;</p></div>',
  },
  contained: [{ resourceType: 'Practitioner', id: 'gp', name: [{ family: 'Aubry' }] }],
  extension: [
    {
      url: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability',
      extension: [
        {
          url: 'identityStatus',
          valueCoding: { system: 'https://hl7.fr/CodeSystem/fr-core-cs-v2-0445', code: 'VALI' },
        },
        { url: 'validationDate', valueDate: '2026-01-05' },
      ],
    },
  ],
  identifier: [{ use: 'official', system: 'urn:oid:1.2.250.1.213.1.4.8', value: '252025917500145' }],
  active: true,
  name: [
    {
      use: 'official',
      family: 'Lefèvre',
      _family: {
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/humanname-own-name', valueString: 'Lefèvre' }],
      },
      given: ['Odile', null],
      _given: [
        null,
        { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }] },
      ],
      period: { start: '2002-07' },
    },
  ],
  telecom: [
    { system: 'phone', value: '+33 1 99 00 12 34', use: 'home', rank: 1 },
    {
      system: 'email',
      _value: {
        id: 'mail',
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'asked-declined' }],
      },
    },
  ],
  gender: 'female',
  birthDate: '1952-02-29',
  _birthDate: {
    id: 'b',
    extension: [
      { url: 'http://hl7.org/fhir/StructureDefinition/patient-birthTime', valueDateTime: '1952-02-29T04:10:00+01:00' },
    ],
  },
  deceasedBoolean: false,
  address: [
    { line: ['12 rue des Tanneurs', 'Bâtiment\u00a0B'], city: 'Haute-Rive', postalCode: '75999', country: 'FR' },
  ],
  contact: [{ relationship: [{ text: 'fille' }], telecom: [{ system: 'phone', value: '+33 1 99 00 56 78' }] }],
  communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'fr' }] }, preferred: true }],
  generalPractitioner: [{ reference: '#gp' }],
  link: [{ other: { reference: 'Patient/p0' }, type: 'replaces' }],
};

export const encounter: Data = {
  resourceType: 'Encounter',
  id: 'e1',
  identifier: [
    {
      type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'VN' }] },
      system: 'urn:oid:1.2.250.1.71.4.2.7.1',
      value: '2026-00042',
    },
  ],
  status: 'finished',
  statusHistory: [
    { status: 'in-progress', period: { start: '2026-02-26T09:30:00+01:00', end: '2026-03-02T16:20:00+01:00' } },
  ],
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
  subject: { reference: 'Patient/p1', type: 'Patient', display: 'la patiente' },
  participant: [
    { individual: { reference: 'PractitionerRole/r1' } },
    { individual: { reference: 'https://other.example/fhir/Practitioner/7' } },
  ],
  period: { start: '2026-02-26T09:00:00+01:00', end: '2026-03-02T16:20:00+01:00' },
  length: { value: 4.3, unit: 'jours', system: 'http://unitsofmeasure.org', code: 'd' },
  diagnosis: [{ condition: { reference: 'urn:uuid:6d1b1c0e-6f39-4c39-b6cc-3a7bb4b2a8c1' }, rank: 1 }],
  hospitalization: {
    dischargeDisposition: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/discharge-disposition', code: 'home' }],
    },
  },
  location: [{ location: { display: 'Cardiologie' }, status: 'completed' }],
  serviceProvider: { identifier: { system: 'urn:oid:1.2.250.1.71.4.2.2', value: '750999999' } },
};

export const observation: Data = {
  resourceType: 'Observation',
  id: 'o1',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  subject: { reference: 'Patient/p1' },
  effectiveDateTime: '2026-03-01T24:00:00+01:00'.replace('24', '23'),
  valueQuantity: { value: 62.4, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
  referenceRange: [{ low: { value: 50 }, high: { value: 70 } }],
};

export const condition: Data = {
  resourceType: 'Condition',
  id: 'c1',
  clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] },
  verificationStatus: {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'confirmed' }],
  },
  code: { text: 'Insuffisance cardiaque' },
  subject: { reference: 'Patient/p1' },
  onsetAge: { value: 70, system: 'http://unitsofmeasure.org', code: 'a' },
};

export const carePlan: Data = {
  resourceType: 'CarePlan',
  id: 'cp1',
  status: 'active',
  intent: 'plan',
  subject: { reference: 'Patient/p1' },
  activity: [
    {
      id: 'a1',
      detail: {
        kind: 'ServiceRequest',
        status: 'scheduled',
        scheduledTiming: {
          repeat: { frequency: 1, period: 1, periodUnit: 'wk', dayOfWeek: ['mon'], timeOfDay: ['08:30:00'] },
        },
        dailyAmount: { value: 1, unit: 'passage' },
      },
    },
  ],
};

export const task: Data = {
  resourceType: 'Task',
  id: 't1',
  status: 'requested',
  intent: 'order',
  authoredOn: '2026-03-03T00:00:00+01:00',
  lastModified: '2026-03-03',
  focus: { reference: 'DetectedIssue/d1' },
  restriction: { repetitions: 1, period: { end: '2026-03-05T18:00:00Z' } },
  input: [
    { type: { text: 'délai' }, valueDuration: { value: 2, unit: 'h', system: 'http://unitsofmeasure.org', code: 'h' } },
  ],
};

export const transaction: Data = {
  resourceType: 'Bundle',
  type: 'transaction',
  entry: [
    {
      fullUrl: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0',
      resource: encounter,
      request: { method: 'POST', url: 'Encounter' },
    },
    { request: { method: 'DELETE', url: 'Observation/o9' } },
  ],
};

export const response: Data = {
  resourceType: 'Bundle',
  type: 'transaction-response',
  entry: [
    {
      response: {
        status: '201 Created',
        location: 'Encounter/e1/_history/1',
        outcome: { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'informational' }] },
      },
    },
  ],
};

export const parameters: Data = {
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'judgment',
      part: [
        { name: 'rule', valueCode: 'RUP-20' },
        { name: 'evidence', resource: observation },
      ],
    },
    { name: 'count', valueInteger: -2147483648 },
  ],
};

export const questionnaireResponse: Data = {
  resourceType: 'QuestionnaireResponse',
  status: 'completed',
  item: [{ linkId: '1', item: [{ linkId: '1.1', answer: [{ valueDecimal: 1e-7 }, { valueDate: '2024-02-29' }] }] }],
};

export const allSamples: Readonly<Record<string, Data>> = {
  patient,
  encounter,
  observation,
  condition,
  carePlan,
  task,
  transaction,
  response,
  parameters,
  questionnaireResponse,
};
