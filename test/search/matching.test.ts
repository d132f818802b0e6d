/** What matches what, by parameter type (https://hl7.org/fhir/R4/search.html#ptypes), decided by the predicate; SQL follows it. */
import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { createPredicate, parseSearch } from '../../src/search/index.ts';
import { context, index, now } from './record.ts';

function matches(resource: Resource, query: string): boolean {
  const parameters = [...new URLSearchParams(query)];
  const predicate = createPredicate(context, parseSearch(context, resource.resourceType, parameters, { now }));
  const answer = predicate(resource);
  expect(predicate(resource, index(resource))).toBe(answer);
  return answer;
}

/** `+` before a query that matches, `-` before one that does not. */
function checks(resource: Resource, ...queries: readonly string[]): void {
  test.each(queries)('%s', (query) => expect(matches(resource, encode(query.slice(2)))).toBe(query.startsWith('+')));
}

function encode(query: string): string {
  return query
    .split('&')
    .map((pair) => pair.slice(0, pair.indexOf('=') + 1) + encodeURIComponent(pair.slice(pair.indexOf('=') + 1)))
    .join('&');
}

const loinc = 'http://loinc.org';

describe('token', () => {
  describe('of a CodeableConcept', () => {
    const resource: Resource = {
      resourceType: 'Observation',
      id: 'o1',
      status: 'final',
      code: {
        coding: [
          { system: loinc, code: '8480-6' },
          { code: 'TA' },
          { system: 'http://snomed.info/sct', code: '271649006' },
        ],
        text: 'Tension',
      },
    };
    checks(
      resource,
      ...[
        '+ code=8480-6',
        `+ code=${loinc}|8480-6`,
        `+ code=${loinc}|`,
        '+ code=|TA',
        '+ code=ta',
        '+ code=nothing,8480-6',
      ],
      ...[
        '- code=|8480-6',
        `- code=${loinc}|271649006`,
        '- code=Tension',
        '- code=http://other.example|',
        `- code=${loinc}|TA`,
      ],
      ...[
        '- code:not=8480-6',
        '+ code:not=8867-4',
        '- code:not=8867-4,ta',
        '+ category:not=laboratory',
        '+ combo-code=8480-6',
      ],
      ...['+ code:missing=false', '- code:missing=true', '+ category:missing=true', '- component-code=8480-6'],
      ...['+ code=8480-6&code=TA', '- code=8480-6&code=8867-4'],
    );
  });

  describe('of a plain code, whose system is that of its value set', () => {
    const resource: Resource = { resourceType: 'Patient', id: 'p1', gender: 'female', active: true };
    checks(
      resource,
      ...[
        '+ gender=female',
        '+ gender=http://hl7.org/fhir/administrative-gender|female',
        '- gender=male',
        '+ gender=male,female',
      ],
      ...[
        '- gender=http://other.example|female',
        '- gender=|female',
        '+ gender=http://hl7.org/fhir/administrative-gender|',
      ],
      ...['+ active=true', '- active=false', '+ deceased=false', '- deceased=true', '+ gender:not=male'],
    );
  });

  describe('of contacts, without punctuation and case', () => {
    const telecom = [
      { system: 'phone', value: '06.12 34-56 78' },
      { system: 'email', value: 'Zoe.Leger@Example.org' },
    ];
    checks(
      { resourceType: 'Patient', id: 'p1', telecom },
      ...[
        '+ telecom=0612345678',
        '+ phone=06 12 34 56 78',
        '- email=0612345678',
        '+ email=zoe.leger@example.org',
        '- phone=061234567',
      ],
    );
  });

  describe('with separators in the value', () => {
    const type = [{ coding: [{ system: 'urn:x', code: 'a|b,c$d\\e' }] }];
    checks(
      { resourceType: 'Encounter', id: 'e1', type },
      '+ type=a\\|b\\,c\\$d\\\\e',
      '+ type=urn:x|a\\|b\\,c\\$d\\\\e',
      '- type=a',
    );
  });
});

describe('identifier', () => {
  const practitioner: Resource = {
    resourceType: 'Practitioner',
    id: 'd1',
    identifier: [{ system: 'urn:oid:1.2.250.1.71.4.2.1', value: '810101201234' }, { value: 'MR-7' }],
  };
  checks(
    practitioner,
    ...['+ identifier=https://rpps.esante.gouv.fr|10101201234', '+ identifier=urn:oid:1.2.250.1.71.4.2.1|810101201234'],
    ...[
      '+ identifier=http://rpps.esante.gouv.fr|10101201234',
      '+ identifier=810101201234',
      '+ identifier=|MR-7',
      '- identifier=mr-7',
    ],
    ...[
      '- identifier=https://rpps.esante.gouv.fr|10101201235',
      '- identifier=https://adeli.esante.gouv.fr|10101201234',
    ],
    ...['+ identifier=https://rpps.esante.gouv.fr|', '- identifier=|810101201234'],
  );
});

describe('string', () => {
  const name = [{ family: "d'Ürsel-MÜLLER", given: ['Zoé', 'Marie-Œuvre'] }];
  const address = [{ line: ['12, rue des Lilas'], city: 'Le Mans', postalCode: '72000' }];
  checks(
    { resourceType: 'Patient', id: 'p1', name, address },
    ...[
      "+ family=d'ursel",
      '+ family=D URSEL MULLER',
      '- family=muller',
      '+ family:contains=muller',
      '+ given=marie oeuvre',
      '+ name=zo',
    ],
    ...[
      "+ family:exact=d'Ürsel-MÜLLER",
      "- family:exact=d'ursel-muller",
      '- family:exact=Zoé',
      '+ name:exact=Zoé',
      '- given=müller',
    ],
    ...[
      '+ address=12 rue',
      '+ address=mans,le',
      '+ address-postalcode=72',
      '- address-country=fr',
      '+ name=x,zoe',
      '- name=x',
    ],
  );

  describe('that is very long is found by what is indexed of it', () => {
    const long = 'a'.repeat(300);
    checks(
      { resourceType: 'Patient', id: 'p1', name: [{ family: long }] },
      ...[`+ family=${'a'.repeat(200)}`, `+ family:exact=${long}`, `- family:exact=${long.slice(1)}`],
    );
  });
});

describe('date', () => {
  const day: Resource = {
    resourceType: 'Encounter',
    id: 'e1',
    status: 'finished',
    period: { start: '2026-03-01', end: '2026-03-10' },
  };
  checks(
    day,
    ...[
      '+ date=2026-03',
      '+ date=2026',
      '- date=2026-03-05',
      '+ date=ne2026-03-05',
      '+ date=ge2026-03-05',
      '+ date=le2026-03-05',
    ],
    ...[
      '+ date=gt2026-03-09',
      '- date=gt2026-03-10',
      '- date=ge2026-03-11',
      '+ date=lt2026-03-02',
      '- date=lt2026-03-01',
    ],
    ...[
      '+ date=sa2026-02-28',
      '- date=sa2026-03-01',
      '+ date=eb2026-03-11',
      '- date=eb2026-03-10',
      '+ date=ap2026-03-11',
      '- date=ap2026-03-20',
    ],
    ...[
      '- date=ap2025',
      '+ date=2025,2026-03',
      '+ date=ge2026-03-01&date=lt2026-03-02',
      '- date=ge2026-03-11&date=lt2027',
    ],
  );

  describe('with an exact time', () => {
    const period = { start: '2026-03-02T16:20:00+01:00', end: '2026-03-02T16:20:00+01:00' };
    checks(
      { resourceType: 'Encounter', id: 'e1', status: 'finished', period },
      ...[
        '+ date=2026-03-02',
        '+ date=2026-03-02T15:20:00Z',
        '+ date=2026-03-02T16:20',
        '- date=2026-03-03',
        '- date=lt2026-03-02',
      ],
      ...[
        '+ date=ge2026-03-02T16:20:00+01:00',
        '+ date=le2026-03-02',
        '- date=gt2026-03-02',
        '+ date=2026-03-02T15:20Z',
      ],
    );
  });

  describe('that is open', () => {
    checks(
      { resourceType: 'Encounter', id: 'e1', status: 'in-progress', period: { start: '2026-03-01' } },
      ...['+ date=ge2030', '+ date=lt2026-03-02', '- date=2026', '- date=eb2100', '+ date=ne2026', '- date=lt2026'],
    );
  });

  describe('of the last update', () => {
    checks(
      { resourceType: 'Patient', id: 'p1', meta: { lastUpdated: '2026-03-02T07:59:59.999Z' } },
      ...[
        '+ _lastUpdated=2026-03-02',
        '+ _lastUpdated=lt2026-03-02T08:00:00Z',
        '- _lastUpdated=gt2026-03-02',
        '+ _lastUpdated=ge2026-03-02T07:59:59.999Z',
      ],
      ...['- _lastUpdated=2026-03-01', '+ _lastUpdated=ne2026-03-01', '+ _id=p1', '- _id=p2', '+ _id=p2,p1'],
    );
  });
});

describe('number and quantity', () => {
  const unit = { system: 'http://unitsofmeasure.org', code: 'mm[Hg]', unit: 'mmHg' };
  checks(
    { resourceType: 'Observation', id: 'o1', valueQuantity: { value: 120, ...unit } },
    ...[
      '+ value-quantity=120',
      '+ value-quantity=120|http://unitsofmeasure.org|mm[Hg]',
      '+ value-quantity=120||mmHg',
      '+ value-quantity=120||mm[Hg]',
    ],
    ...[
      '- value-quantity=120||mg',
      '- value-quantity=121',
      '+ value-quantity=1.2e2',
      '+ value-quantity=gt119.9',
      '- value-quantity=gt120',
    ],
    ...[
      '+ value-quantity=ge120',
      '+ value-quantity=le120',
      '- value-quantity=lt120',
      '+ value-quantity=ne121',
      '- value-quantity=ne120',
    ],
    ...[
      '+ value-quantity=ap110',
      '- value-quantity=ap100',
      '+ value-quantity=sa119',
      '- value-quantity=eb120',
      '+ combo-value-quantity=120',
    ],
  );

  describe('as precise as the digits given', () => {
    checks(
      { resourceType: 'Observation', id: 'o1', valueQuantity: { value: 5.4 } },
      ...[
        '+ value-quantity=5.4',
        '- value-quantity=5.5',
        '+ value-quantity=5',
        '+ value-quantity=5.40',
        '- value-quantity=5.39',
      ],
    );
    checks(
      { resourceType: 'Observation', id: 'o1', valueQuantity: { value: 104.9 } },
      ...['+ value-quantity=1e2', '- value-quantity=100', '+ value-quantity=105', '- value-quantity=104'],
    );
  });

  describe('beyond a limit of measurement', () => {
    checks(
      { resourceType: 'Observation', id: 'o1', valueQuantity: { value: 0.5, comparator: '<' } },
      ...['+ value-quantity=lt0.4', '- value-quantity=gt0.5', '- value-quantity=0.5'],
    );
  });

  describe('in samples and ranges', () => {
    checks(
      {
        resourceType: 'Observation',
        id: 'o1',
        valueSampledData: { origin: { value: 10 }, period: 1, factor: 2, dimensions: 1, data: '1 E 5' },
      },
      ...['+ value-quantity=ge20', '- value-quantity=gt20', '+ value-quantity=le12', '- value-quantity=lt12'],
    );
    checks(
      { resourceType: 'Condition', id: 'c1', onsetRange: { low: { value: 40 }, high: { value: 50 } } },
      ...['+ onset-age=gt45', '+ onset-age=lt45', '- onset-age=gt50', '- onset-age=45'],
    );
  });
});

describe('reference', () => {
  const encounter = (subject: object): Resource => ({
    resourceType: 'Encounter',
    id: 'e1',
    status: 'finished',
    subject,
  });
  describe('to a resource of this server', () => {
    checks(
      encounter({ reference: 'Patient/p1' }),
      ...[
        '+ subject=Patient/p1',
        '+ subject=p1',
        '+ patient=p1',
        '+ subject:Patient=p1',
        '+ subject=https://suture.example/fhir/Patient/p1',
      ],
      ...[
        '- subject=Group/p1',
        '- subject:Group=p1',
        '- subject=p2',
        '- subject=https://other.example/fhir/Patient/p1',
        '+ patient:missing=false',
      ],
    );
  });
  describe('to one version of it', () => {
    checks(
      encounter({ reference: 'Patient/p1/_history/2' }),
      ...['+ subject=Patient/p1', '+ subject=Patient/p1/_history/2', '- subject=Patient/p1/_history/3'],
    );
  });
  describe('by an absolute URL of this server', () => {
    checks(encounter({ reference: 'http://suture.example/fhir/Patient/p1' }), '+ patient=p1', '+ subject=Patient/p1');
  });
  describe('to another type', () => {
    checks(
      encounter({ reference: 'Group/g1' }),
      '+ subject=Group/g1',
      '- patient=g1',
      '+ patient:missing=true',
      '+ subject:missing=false',
    );
  });
  describe('to another server', () => {
    checks(
      encounter({ reference: 'https://other.example/fhir/Patient/p9' }),
      ...[
        '+ subject=https://other.example/fhir/Patient/p9',
        '- subject=p9',
        '- patient=Patient/p9',
        '+ patient:missing=false',
      ],
    );
  });
  describe('by identifier alone', () => {
    const identifier = { system: 'urn:oid:1.2.250.1.213.1.4.8', value: '148057815100162' };
    checks(
      encounter({ identifier, type: 'Patient' }),
      ...[
        '+ subject:identifier=urn:oid:1.2.250.1.213.1.4.8|148057815100162',
        '+ patient:identifier=1.2.250.1.213.1.4.8|1 48 05 78 151 001 62',
      ],
      ...[
        '- subject:identifier=urn:oid:1.2.250.1.213.1.4.10|148057815100162',
        '+ subject:identifier=148057815100162',
        '- subject=148057815100162',
      ],
    );
    checks(encounter({ identifier }), '+ subject:identifier=148057815100162', '- patient:identifier=148057815100162');
  });
  describe('by canonical', () => {
    checks(
      { resourceType: 'CarePlan', id: 'c1', instantiatesCanonical: ['https://suture.example/fhir/PlanDefinition/x|2'] },
      ...[
        '+ instantiates-canonical=https://suture.example/fhir/PlanDefinition/x',
        '+ instantiates-canonical=https://suture.example/fhir/PlanDefinition/x|2',
      ],
      ...[
        '- instantiates-canonical=https://suture.example/fhir/PlanDefinition/x|1',
        '- instantiates-canonical=PlanDefinition/x',
      ],
    );
  });
  describe('that a filter of the parameter picks', () => {
    const participant = [
      { actor: { reference: 'Patient/p1' }, status: 'accepted' },
      { actor: { reference: 'Practitioner/d1' }, status: 'accepted' },
    ];
    checks(
      { resourceType: 'Appointment', id: 'a1', participant },
      ...['+ patient=p1', '- patient=d1', '+ practitioner=Practitioner/d1', '+ actor=d1', '- location=p1'],
    );
  });
});

describe('uri', () => {
  const meta = {
    profile: ['https://suture.example/fhir/StructureDefinition/x|1.0'],
    source: 'urn:uuid:hospital',
    tag: [{ system: 'urn:t', code: 'A' }],
  };
  checks(
    { resourceType: 'Patient', id: 'p1', meta },
    ...[
      '+ _profile=https://suture.example/fhir/StructureDefinition/x',
      '+ _profile=https://suture.example/fhir/StructureDefinition/x|1.0',
    ],
    ...[
      '- _profile=https://suture.example/fhir/StructureDefinition',
      '+ _source=urn:uuid:hospital',
      '- _source=urn:uuid:Hospital',
      '+ _tag=urn:t|a',
    ],
  );
});

describe('a search', () => {
  test('of another type takes nothing', () => {
    const predicate = createPredicate(context, parseSearch(context, 'Patient', [], { now }));
    expect(predicate({ resourceType: 'Encounter', id: 'e1' })).toBe(false);
    expect(predicate({ resourceType: 'Patient', id: 'p1' })).toBe(true);
  });

  test('of a compartment takes what the patient stands in by any of its parameters', () => {
    const search = parseSearch(context, 'Observation', [], { now, compartment: 'Patient/p1' });
    const predicate = createPredicate(context, search);
    const observation = (member: object): Resource => ({ resourceType: 'Observation', id: 'o1', ...member });
    expect(predicate(observation({ subject: { reference: 'Patient/p1' } }))).toBe(true);
    expect(predicate(observation({ performer: [{ reference: 'Patient/p1' }] }))).toBe(true);
    expect(predicate(observation({ focus: [{ reference: 'Patient/p1' }] }))).toBe(false);
  });

  test('that follows references is not decided on one resource', () => {
    const search = parseSearch(context, 'Encounter', [['subject.name', 'x']], { now });
    expect(() => createPredicate(context, search)).toThrow('follows references');
  });
});
