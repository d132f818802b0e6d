/** Random resources and random queries over few values, so that they meet. All persons and numbers are invented. */
import fc from 'fast-check';
import type { Resource } from '../../src/fhir/index.ts';

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const few = <T>(arbitrary: fc.Arbitrary<T>, maxLength = 2) => fc.array(arbitrary, { minLength: 1, maxLength });

const dates = pick(
  ...['2025', '2025-12', '2025-12-31', '2026-01-01', '2026-03', '2026-03-01', '2026-03-02', '2026-03-29'],
  ...['2026-03-02T16:20:00+01:00', '2026-03-02T15:20:00Z', '2026-03-02T15:20:00.5Z', '2026-02-28T23:30:00Z'],
);
const dateTimes = dates;
const days = pick('1948', '1948-05', '1948-05-04', '1962-11-30', '1962-11', '2001-07-14');
const periods = fc
  .record({ start: maybe(dates), end: maybe(pick('2026-03-05', '2026-03-31T10:00:00Z', '2026-04')) })
  .map(clean);
const systems = pick('http://loinc.org', 'urn:oid:1.2.250.1.213.2.5', 'https://suture.example/fhir/CodeSystem/visit');
const codes = pick('11490-0', 'a', 'A', 'chirurgie-ambulatoire', 'x|y');
const codings = fc.record({ system: maybe(systems), code: maybe(codes), display: maybe(pick('Lettre')) }).map(clean);
const concepts = fc.record({ coding: maybe(few(codings)), text: maybe(pick('texte')) }).map(clean);
const identifierPairs = pick(
  { system: 'https://rpps.esante.gouv.fr', value: '10101201234' },
  { system: 'urn:oid:1.2.250.1.71.4.2.1', value: '810101201234' },
  { system: 'urn:oid:1.2.250.1.213.1.4.8', value: '1480578151001 62' },
  { system: 'urn:oid:1.2.250.1.213.1.4.8', value: '148057815100162' },
  { system: 'urn:oid:1.2.250.1.213.1.4.10', value: '148057815100162' },
  { system: 'https://hopital.example/ipp', value: 'AB12' },
  { system: 'https://hopital.example/ipp', value: 'ab12' },
);
const identifiers = fc.oneof(identifierPairs, fc.record({ value: pick('AB12', '10101201234') }));
const names = fc
  .record({
    family: maybe(pick('Dupont', 'DUPONT', 'Dupönt-Müller', "d'Œuvre", 'Léger')),
    given: maybe(few(pick('Zoé', 'Jean-Pierre', 'Ali'))),
    text: maybe(pick('Zoé Léger', '***')),
  })
  .map(clean);
const phones = fc.record({
  system: pick('phone', 'email'),
  value: pick('06 12 34 56 78', '0612345678', 'Zoe@hopital.example'),
});
const patientReferences = pick(
  'Patient/p1',
  'Patient/p2',
  'https://suture.example/fhir/Patient/p3',
  'Patient/p1/_history/2',
  'Patient/gone',
);
const references = (...values: readonly string[]) =>
  fc.oneof(
    { weight: 5, arbitrary: pick(...values).map((reference) => ({ reference })) },
    { weight: 1, arbitrary: identifierPairs.map((identifier) => ({ identifier, type: 'Patient' })) },
    {
      weight: 1,
      arbitrary: pick('urn:uuid:2f1c8d0e-58c7-4b55-9b1e-0a1b2c3d4e5f', 'https://autre.example/fhir/Patient/p9').map(
        (reference) => ({ reference }),
      ),
    },
  );
const subjects = fc.oneof(patientReferences, pick('Group/g1')).chain((reference) => references(reference));
const instants = pick(
  '2026-03-01T10:00:00.000Z',
  '2026-03-02T07:59:59.999Z',
  '2026-03-02T08:00:00.000Z',
  '2026-03-03T00:00:00.123Z',
);
const labels = fc.record({
  system: fc.constant('http://terminology.hl7.org/CodeSystem/v3-Confidentiality'),
  code: pick('N', 'R', 'V'),
});
const metas = fc
  .record({
    lastUpdated: instants,
    profile: maybe(
      few(
        pick(
          'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient',
          'https://suture.example/fhir/StructureDefinition/x|1.0',
        ),
      ),
    ),
    security: maybe(few(labels)),
    source: maybe(pick('urn:uuid:hospital')),
  })
  .map(clean);
const quantities = fc
  .record({
    value: maybe(pick(5.4, 5.39, 5, 120, 120.5, -1, 0.005)),
    comparator: maybe(pick('<', '>=')),
    unit: maybe(pick('mg', 'mmHg')),
    system: maybe(fc.constant('http://unitsofmeasure.org')),
    code: maybe(pick('mg', 'mm[Hg]')),
  })
  .map(clean);
const values = fc.oneof(
  quantities.map((valueQuantity) => ({ valueQuantity })),
  concepts.map((valueCodeableConcept) => ({ valueCodeableConcept })),
  pick('Zoé va bien', 'rien').map((valueString) => ({ valueString })),
  fc.constant({}),
);

function clean<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

const bodies: Readonly<Record<string, fc.Arbitrary<object>>> = {
  Patient: fc.record({
    identifier: maybe(few(identifiers)),
    name: maybe(few(names)),
    gender: maybe(pick('male', 'female')),
    birthDate: maybe(days),
    active: maybe(fc.boolean()),
    telecom: maybe(few(phones)),
    deceasedBoolean: maybe(fc.boolean()),
    generalPractitioner: maybe(few(references('Practitioner/d1', 'Practitioner/d2'))),
    link: maybe(few(fc.record({ other: references('Patient/p1', 'Patient/p2'), type: fc.constant('seealso') }), 1)),
  }),
  Practitioner: fc.record({
    identifier: maybe(few(identifiers)),
    name: maybe(few(names)),
    active: maybe(fc.boolean()),
  }),
  Encounter: fc.record({
    status: pick('finished', 'in-progress', 'planned'),
    class: codings,
    type: maybe(few(concepts)),
    subject: maybe(subjects),
    period: maybe(periods),
    participant: maybe(few(fc.record({ individual: references('Practitioner/d1', 'Practitioner/d2') }))),
    identifier: maybe(few(identifiers)),
    length: maybe(quantities),
  }),
  Observation: fc
    .tuple(
      fc.record({
        status: pick('final', 'amended'),
        code: concepts,
        category: maybe(few(concepts)),
        subject: maybe(subjects),
        encounter: maybe(references('Encounter/e1', 'Encounter/e2')),
        component: maybe(
          few(fc.tuple(fc.record({ code: concepts }), values).map(([code, value]) => ({ ...code, ...value }))),
        ),
      }),
      values,
      fc.oneof(
        dateTimes.map((effectiveDateTime) => ({ effectiveDateTime })),
        periods.map((effectivePeriod) => ({ effectivePeriod })),
        few(dateTimes, 3).map((event) => ({ effectiveTiming: { event } })),
        fc.constant({}),
      ),
    )
    .map((parts) => Object.assign({}, ...parts) as object),
  Task: fc.record({
    status: pick('requested', 'completed'),
    intent: fc.constant('order'),
    for: maybe(subjects),
    focus: maybe(references('Encounter/e1', 'Observation/o1', 'Patient/p1')),
    authoredOn: maybe(dateTimes),
    lastModified: maybe(dateTimes),
    code: maybe(concepts),
  }),
  CarePlan: fc.record({
    status: pick('active', 'completed'),
    intent: fc.constant('plan'),
    subject: maybe(subjects),
    period: maybe(periods),
    instantiatesCanonical: maybe(
      few(pick('https://suture.example/fhir/PlanDefinition/x|2', 'https://suture.example/fhir/PlanDefinition/x')),
    ),
  }),
};

const idPrefixes: Readonly<Record<string, string>> = {
  Patient: 'p',
  Practitioner: 'd',
  Encounter: 'e',
  Observation: 'o',
  Task: 't',
  CarePlan: 'c',
};
export const sampleTypes = Object.keys(bodies);

function resourcesOf(type: string, most: number): fc.Arbitrary<readonly Resource[]> {
  const body = bodies[type] ?? fc.constant({});
  return fc.array(fc.tuple(metas, body), { minLength: 1, maxLength: most }).map((list) =>
    list.map(([meta, members], place): Resource => {
      const id = `${idPrefixes[type]}${place + 1}`;
      return { resourceType: type, id, meta: meta as NonNullable<Resource['meta']>, ...clean(members) };
    }),
  );
}

export const records: fc.Arbitrary<readonly Resource[]> = fc
  .tuple(...sampleTypes.map((type) => resourcesOf(type, 9)))
  .map((lists) => lists.flat());

export type Parameters = readonly (readonly [string, string])[];
type Query = fc.Arbitrary<readonly [string, string]>;

const prefixes = pick('', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap');
const dateValues = fc.tuple(prefixes, fc.oneof(dates, days)).map((parts) => parts.join(''));
const numberValues = fc
  .tuple(
    prefixes,
    pick('5', '5.4', '5.40', '120', '1e2', '-1', '0.005'),
    pick('', '||mg', '||mm[Hg]', '|http://unitsofmeasure.org|mg'),
  )
  .map((parts) => parts.join(''));
const escape = (text: string) => text.replace(/[\\,|$]/g, '\\$&');
const tokenValues = fc.oneof(
  codes.map(escape),
  fc.tuple(systems, codes).map(([system, code]) => `${system}|${escape(code)}`),
  codes.map((code) => `|${escape(code)}`),
  systems.map((system) => `${system}|`),
);
const identifierValues = fc.oneof(
  identifierPairs.map(({ system, value }) => `${system}|${value}`),
  pick(
    'AB12',
    'ab12',
    '|AB12',
    'https://hopital.example/ipp|',
    '810101201234',
    'http://rpps.esante.gouv.fr|10101201234',
  ),
);
const textValues = pick('dup', 'Dupont', 'DUPÖNT', 'jean pierre', 'z', "D'œuvre", 'leger zoe', 'Zoé Léger', 'e');
const referenceValues = pick(
  'p1',
  'Patient/p2',
  'https://suture.example/fhir/Patient/p3',
  'Patient/p1/_history/2',
  'Group/g1',
  'urn:uuid:2f1c8d0e-58c7-4b55-9b1e-0a1b2c3d4e5f',
  'https://autre.example/fhir/Patient/p9',
);
const anyOf = (value: fc.Arbitrary<string>) => few(value, 3).map((list) => list.join(','));
const named = (name: fc.Arbitrary<string> | string, value: fc.Arbitrary<string>): Query =>
  fc.tuple(typeof name === 'string' ? fc.constant(name) : name, value);
const missing = (...codeNames: readonly string[]): Query =>
  named(pick(...codeNames.map((code) => `${code}:missing`)), pick('true', 'false'));
const texts = (...codeNames: readonly string[]): Query =>
  named(pick(...codeNames.flatMap((code) => [code, `${code}:exact`, `${code}:contains`])), anyOf(textValues));
const tokens = (...codeNames: readonly string[]): Query =>
  named(pick(...codeNames.flatMap((code) => [code, `${code}:not`])), anyOf(tokenValues));
const dated = (...codeNames: readonly string[]): Query => named(pick(...codeNames), anyOf(dateValues));
const refer = (...codeNames: readonly string[]): Query => named(pick(...codeNames), anyOf(referenceValues));
const chosen = (name: string, ...list: readonly string[]): Query => named(name, anyOf(pick(...list)));

const common: readonly Query[] = [
  named('_id', anyOf(pick('p1', 'e2', 'o3', 'nobody'))),
  named(
    '_lastUpdated',
    fc.tuple(prefixes, instants).map((parts) => parts.join('')),
  ),
  named('_lastUpdated', pick('2026-03-02', 'gt2026-03-01T10:00:00Z', 'le2026-03-02T07:59:59.999Z', 'ne2026')),
  named(
    '_profile',
    pick(
      'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient',
      'https://suture.example/fhir/StructureDefinition/x',
    ),
  ),
  named(pick('_security', '_security:not'), pick('R', 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality|V')),
  missing('_profile', '_security', '_source'),
];

const queries: Readonly<Record<string, readonly Query[]>> = {
  Patient: [
    ...[
      texts('name', 'family', 'given'),
      named('identifier', anyOf(identifierValues)),
      chosen('gender', 'male', 'female', 'other'),
    ],
    ...[
      dated('birthdate'),
      chosen('active', 'true', 'false'),
      chosen('deceased', 'true', 'false'),
      missing('name', 'birthdate', 'identifier'),
    ],
    ...[
      chosen('telecom', '0612345678', '06.12.34.56.78', 'zoe@HOPITAL.example'),
      chosen('phone', '06 12 34 56 78'),
      chosen('link', 'p1', 'Patient/p2'),
    ],
    ...[
      named('general-practitioner', pick('Practitioner/d1', 'd2')),
      named('general-practitioner:identifier', anyOf(identifierValues)),
    ],
  ],
  Practitioner: [texts('name', 'family'), named('identifier', anyOf(identifierValues)), missing('family')],
  Encounter: [
    ...[
      chosen('status', 'finished', 'planned', 'http://hl7.org/fhir/encounter-status|finished'),
      tokens('class', 'type'),
      dated('date'),
    ],
    ...[
      refer('subject', 'patient'),
      named('subject:Patient', pick('p1', 'p2')),
      named('patient:identifier', anyOf(identifierValues)),
    ],
    ...[
      missing('date', 'patient', 'subject', 'type', 'length'),
      named('length', anyOf(numberValues)),
      named('identifier', anyOf(identifierValues)),
    ],
    ...[named('participant', pick('d1', 'Practitioner/d2')), chosen('status:not', 'finished', 'planned')],
  ],
  Observation: [
    ...[
      tokens('code', 'category', 'combo-code', 'value-concept', 'combo-value-concept'),
      dated('date'),
      refer('subject', 'patient'),
    ],
    ...[
      named('value-quantity', anyOf(numberValues)),
      named('combo-value-quantity', anyOf(numberValues)),
      texts('value-string'),
    ],
    ...[
      missing('value-quantity', 'date', 'combo-code', 'value-string'),
      named('encounter', pick('e1', 'Encounter/e2')),
    ],
  ],
  Task: [
    ...[
      chosen('status', 'requested', 'completed'),
      refer('patient', 'subject'),
      named('focus', pick('Encounter/e1', 'o1', 'Patient/p1')),
    ],
    ...[dated('authored-on', 'modified'), tokens('code'), missing('focus', 'modified')],
  ],
  CarePlan: [
    ...[chosen('status', 'active', 'completed'), dated('date'), refer('subject', 'patient')],
    ...[
      chosen(
        'instantiates-canonical',
        'https://suture.example/fhir/PlanDefinition/x',
        'https://suture.example/fhir/PlanDefinition/x|2',
      ),
    ],
  ],
};

const sorts: Readonly<Record<string, readonly string[]>> = {
  Patient: ['name', 'family', 'birthdate'],
  Practitioner: ['name', 'family'],
  Encounter: ['date', 'length'],
  Observation: ['date', 'value-quantity', 'value-string', 'combo-value-quantity'],
  Task: ['authored-on', 'modified'],
  CarePlan: ['date'],
};

const sortLists = (type: string) =>
  few(
    fc.tuple(pick('', '-'), pick(...(sorts[type] ?? []), '_id', '_lastUpdated')).map((parts) => parts.join('')),
    2,
  );

export interface RandomQuery {
  readonly type: string;
  readonly parameters: Parameters;
  readonly sort: readonly string[];
  readonly pageSize: number;
}

export const randomQueries: fc.Arbitrary<RandomQuery> = pick(...sampleTypes).chain((type) =>
  fc.record({
    type: fc.constant(type),
    parameters: fc.array(fc.oneof(...(queries[type] ?? []), ...common), { maxLength: 3 }),
    sort: fc.oneof(fc.constant([]), sortLists(type)),
    pageSize: fc.integer({ min: 1, max: 6 }),
  }),
);

/** Chains: outer type, name of the parameter, the reference's element, inner types. */
export const chainQueries = pick(
  { type: 'Encounter', reference: 'subject', chain: 'subject:Patient', inner: 'Patient' },
  { type: 'Encounter', reference: 'subject', chain: 'patient', inner: 'Patient' },
  { type: 'Observation', reference: 'subject', chain: 'patient', inner: 'Patient' },
  { type: 'Observation', reference: 'encounter', chain: 'encounter', inner: 'Encounter' },
  { type: 'CarePlan', reference: 'subject', chain: 'subject', inner: 'Patient' },
).chain((link) => fc.oneof(...(queries[link.inner] ?? [])).map((inner) => ({ ...link, parameter: inner })));
