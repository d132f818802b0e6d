/** Random records over few values, so that questions meet them. Everybody and everything here is invented. */
import type { Chance } from './chance.ts';
import type { AnyResource } from './elements.ts';

export const base = 'https://suture.example/fhir';
const loinc = 'http://loinc.org';
const local = 'https://hopital.example/codes';
const ucum = 'http://unitsofmeasure.org';

/** child -> parent */
export const isA: Readonly<Record<string, string>> = { [`${local}|b`]: `${local}|a`, [`${local}|c`]: `${local}|b` };
export const valueSets: Readonly<Record<string, readonly string[]>> = {
  'https://hopital.example/vs/two': [`${local}|a`, `${loinc}|8480-6`],
  'https://hopital.example/vs/none': [],
};

const dates = [
  '2025',
  '2025-12',
  '2025-12-31',
  '2026-01-01',
  '2026-01-01T10:30:00Z',
  '2026-01-01T11:30:00+01:00',
  '2026-01-01T10:30:00.250Z',
];
const ends = ['2026-01-01', '2026-02', '2026-03-01T08:00:00Z'];
const words = ['Lefèvre', 'LEFEVRE', 'Zoé', 'zoe', 'Œuvre', 'Ali Baba', 'Aline'];
const numbers = [0, 1, 5, 5.4, 5.38, 100, 99.6, 0.005, -2];

export class Maker {
  readonly #chance: Chance;
  constructor(chance: Chance) {
    this.#chance = chance;
  }

  date = (): string => this.#chance.pick(dates);
  instant = (): string =>
    this.#chance.pick(['2026-01-01T10:30:00Z', '2026-01-02T00:00:00.500Z', '2025-12-31T23:59:59+01:00']);
  word = (): string => this.#chance.pick(words);
  number = (): number => this.#chance.pick(numbers);

  period = (): AnyResource => {
    const { maybe, pick } = this.#chance;
    const start = maybe(this.date);
    // Never empty: no element is (https://hl7.org/fhir/R4/element.html, ele-1).
    return clean({ start, end: start === undefined ? pick(ends) : maybe(() => pick(ends)) });
  };

  timing = (): AnyResource => ({ event: this.#chance.some(this.date, 3) });

  coding = (): AnyResource => {
    const { maybe, pick } = this.#chance;
    return clean({
      system: maybe(() => pick([loinc, local])),
      code: pick(['a', 'b', 'c', '8480-6', 'x|y']),
      display: maybe(() => pick(['Tension artérielle', 'Tension', 'Glycémie'])),
    });
  };

  concept = (): AnyResource => {
    const { maybe, pick, some } = this.#chance;
    return clean({ coding: maybe(() => some(this.coding)), text: maybe(() => pick(['Tension au repos', 'Éveil'])) });
  };

  identifier = (): AnyResource => {
    const { maybe, pick } = this.#chance;
    return clean({
      system: maybe(() => pick(['https://hopital.example/ipp', 'https://hopital.example/iep'])),
      value: pick(['1', '2', '10']),
      type: maybe(() => ({ coding: [{ system: local, code: pick(['pi', 'vn']) }], text: 'Numéro' })),
    });
  };

  quantity = (): AnyResource => {
    const unit = this.#chance.pick([
      { unit: 'mg', system: ucum, code: 'mg' },
      { unit: 'g', system: ucum, code: 'g' },
      { unit: 'heures', system: ucum, code: 'h' },
      { unit: 'min', system: ucum, code: 'min' },
      { unit: 'comprimé', system: local, code: 'cp' },
      { unit: 'comprimé' },
      {},
    ]);
    return { value: this.number(), ...unit };
  };

  money = (): AnyResource => ({ value: this.number(), currency: this.#chance.pick(['EUR', 'CHF']) });

  name = (): AnyResource => {
    const { maybe, some } = this.#chance;
    return clean({ family: maybe(this.word), given: maybe(() => some(this.word)), text: maybe(this.word) });
  };

  address = (): AnyResource => {
    const { maybe, pick } = this.#chance;
    return clean({ city: maybe(() => pick(['Besançon', 'Paris'])), postalCode: maybe(() => pick(['25000', '75012'])) });
  };

  telecom = (): AnyResource => {
    const { pick } = this.#chance;
    return pick([
      { system: 'phone', value: '0612345678' },
      { system: 'email', value: 'zoe@hopital.example' },
    ]);
  };

  reference = (...types: readonly string[]): AnyResource => {
    const { pick, below } = this.#chance;
    const local = `${pick(types)}/${pick(['1', '2', '3'])}`;
    const form = below(10);
    if (form === 0) return { reference: `${base}/${local}` };
    if (form === 1) return { reference: `${local}/_history/2` };
    if (form === 2) return { identifier: this.identifier() };
    if (form === 3) return { reference: `https://autre.example/fhir/${local}` };
    return { reference: local };
  };
}

export function clean<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

type Make = (make: Maker, chance: Chance) => AnyResource;

const observed: Make = (make, { pick }) =>
  pick<() => AnyResource>([
    () => ({ valueQuantity: make.quantity() }),
    () => ({ valueCodeableConcept: make.concept() }),
    () => ({ valueString: make.word() }),
    () => ({ valueDateTime: make.date() }),
    () => ({ valuePeriod: make.period() }),
    () => ({}),
  ])();

const useContext: Make = (make, { pick }) => ({
  code: make.coding(),
  ...pick<AnyResource>([{ valueQuantity: make.quantity() }, { valueCodeableConcept: make.concept() }]),
});

export const makers: Readonly<Record<string, Make>> = {
  Patient: (make, { maybe, some, pick }) => ({
    identifier: maybe(() => some(make.identifier)),
    name: maybe(() => some(make.name)),
    telecom: maybe(() => some(make.telecom)),
    gender: maybe(() => pick(['male', 'female'])),
    birthDate: maybe(() => pick(['1948', '1948-05', '1948-05-04', '1962-11-30'])),
    address: maybe(() => some(make.address)),
    active: maybe(() => pick([true, false])),
    deceasedBoolean: maybe(() => pick([true, false])),
    generalPractitioner: maybe(() => some(() => make.reference('Practitioner', 'Organization'))),
    managingOrganization: maybe(() => make.reference('Organization')),
  }),
  Practitioner: (make, { maybe, some }) => ({
    identifier: maybe(() => some(make.identifier)),
    name: maybe(() => some(make.name)),
  }),
  Organization: (make, { maybe, some }) => ({
    name: maybe(make.word),
    alias: maybe(() => some(make.word)),
    partOf: maybe(() => make.reference('Organization')),
    type: maybe(() => some(make.concept)),
  }),
  Location: (make, { maybe, pick }) => ({
    name: maybe(make.word),
    position: maybe(() => ({
      latitude: pick([47.24, 47.3, 48.85, -16.5]),
      longitude: pick([6.02, 6.1, 2.35, 179.99]),
    })),
    partOf: maybe(() => make.reference('Location')),
  }),
  Encounter: (make, { maybe, some, pick }) => ({
    status: pick(['finished', 'planned']),
    class: make.coding(),
    type: maybe(() => some(make.concept)),
    subject: maybe(() => make.reference('Patient', 'Group')),
    period: maybe(make.period),
    length: maybe(() => ({ value: make.number(), system: ucum, code: pick(['h', 'min']) })),
    participant: maybe(() => some(() => ({ individual: make.reference('Practitioner') }))),
    location: maybe(() => some(() => ({ location: make.reference('Location') }))),
    partOf: maybe(() => make.reference('Encounter')),
  }),
  Observation: (make, chance) => ({
    status: chance.pick(['final', 'amended']),
    code: make.concept(),
    category: chance.maybe(() => chance.some(make.concept)),
    subject: chance.maybe(() => make.reference('Patient', 'Group')),
    encounter: chance.maybe(() => make.reference('Encounter')),
    performer: chance.maybe(() => chance.some(() => make.reference('Practitioner', 'Patient'))),
    ...chance.pick<AnyResource>([
      { effectiveDateTime: make.date() },
      { effectivePeriod: make.period() },
      { effectiveTiming: make.timing() },
      {},
    ]),
    ...observed(make, chance),
    component: chance.maybe(() => chance.some(() => ({ code: make.concept(), ...observed(make, chance) }), 3)),
  }),
  Condition: (make, { maybe, pick }) => ({
    clinicalStatus: maybe(make.concept),
    code: maybe(make.concept),
    subject: make.reference('Patient'),
    encounter: maybe(() => make.reference('Encounter')),
    ...pick<AnyResource>([
      { onsetDateTime: make.date() },
      { onsetAge: { value: 42, unit: 'ans', system: ucum, code: 'a' } },
      { onsetString: make.word() },
      { onsetPeriod: make.period() },
    ]),
    recordedDate: maybe(make.date),
  }),
  Task: (make, { maybe, pick }) => ({
    status: pick(['requested', 'completed']),
    intent: 'order',
    code: maybe(make.concept),
    for: maybe(() => make.reference('Patient')),
    focus: maybe(() => make.reference('Encounter', 'Observation')),
    authoredOn: maybe(make.date),
    owner: maybe(() => make.reference('Practitioner', 'Organization')),
  }),
  DocumentReference: (make, { maybe, some, pick }) => ({
    status: 'current',
    date: maybe(make.instant),
    subject: maybe(() => make.reference('Patient')),
    relatesTo: maybe(() =>
      some(() => ({ code: pick(['replaces', 'appends']), target: make.reference('DocumentReference') })),
    ),
    content: [{ attachment: clean({ creation: maybe(make.date), url: maybe(() => pick(['https://a.example/x'])) }) }],
  }),
  RiskAssessment: (make, { some }) => ({
    status: 'final',
    subject: make.reference('Patient'),
    prediction: some(() => ({ probabilityDecimal: make.number() })),
  }),
  ChargeItem: (make, { maybe }) => ({
    status: 'billable',
    code: make.concept(),
    subject: make.reference('Patient'),
    factorOverride: maybe(make.number),
    quantity: maybe(make.quantity),
    priceOverride: maybe(make.money),
  }),
  ValueSet: (make, chance) => ({
    status: 'active',
    url: chance.pick([
      'http://a.example/fhir/ValueSet/x',
      'http://a.example/fhir',
      'http://a.example/fhir/ValueSet/x/y',
    ]),
    name: chance.maybe(make.word),
    useContext: chance.maybe(() => chance.some(() => useContext(make, chance), 3)),
  }),
  Group: (make, chance) => ({
    type: 'person',
    actual: true,
    characteristic: chance.some(() => ({ code: make.concept(), valueCodeableConcept: make.concept(), exclude: false })),
    member: chance.maybe(() => chance.some(() => ({ entity: make.reference('Patient') }))),
  }),
  List: (make, { maybe, some }) => ({
    status: 'current',
    mode: 'working',
    code: maybe(make.concept),
    subject: maybe(() => make.reference('Patient')),
    entry: maybe(() => some(() => ({ item: make.reference('Observation', 'Encounter', 'Patient') }), 4)),
  }),
  MolecularSequence: (make, { some, pick }) => ({
    coordinateSystem: 0,
    patient: make.reference('Patient'),
    referenceSeq: { chromosome: make.concept(), windowStart: 1, windowEnd: pick([5, 100]) },
    variant: some(() => ({ start: pick([1, 5]), end: pick([5, 100]) }), 3),
  }),
};

export function makeRecord(chance: Chance): readonly AnyResource[] {
  const make = new Maker(chance);
  return Object.entries(makers).flatMap(([resourceType, body]) =>
    Array.from({ length: 1 + chance.below(3) }, (_, place) =>
      clean({
        resourceType,
        id: String(place + 1),
        meta: clean({
          lastUpdated: chance.pick(['2026-01-01T10:30:00.000Z', '2026-01-02T00:00:00.000Z']),
          profile: chance.maybe(() => [chance.pick(['http://a.example/p', 'http://a.example/p|1'])]),
          tag: chance.maybe(() => chance.some(make.coding)),
        }),
        ...clean(body(make, chance)),
      }),
    ),
  );
}
