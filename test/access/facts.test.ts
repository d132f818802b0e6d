/** What resources say of access: src/access/facts.ts, and row A19 of the hostile inputs. */
import { describe, expect, it } from '@jest/globals';
import { createFactReader } from '../../src/access/index.ts';
import { beginningOfTime, createDateReader, createReferenceReader, endOfTime } from '../../src/fhir/index.ts';
import { canonicalIdentifier } from '../../src/search/index.ts';

const facts = createFactReader({
  dates: createDateReader('Europe/Paris'),
  references: createReferenceReader('http://suture.test/fhir'),
  canonical: canonicalIdentifier,
});

const open = { lo: beginningOfTime, hi: endOfTime };
const at = (text: string) => Date.parse(text);

function careTeam(changes: object): object[] {
  const team = {
    resourceType: 'CareTeam',
    id: 't1',
    status: 'active',
    subject: { reference: 'Patient/p1' },
    participant: [{ member: { reference: 'Practitioner/d1' } }],
    ...changes,
  };
  return facts(team).relations as object[];
}

const member = { patient: 'Patient/p1', who: 'Practitioner/d1', ground: 'team', ...open };

describe('a CareTeam', () => {
  it('relates its participants to its subject', () => {
    expect(careTeam({})).toEqual([member]);
  });

  it.each(['proposed', 'suspended', 'inactive', 'entered-in-error', undefined])(
    'A19: relates nobody while it is %s',
    (status) => {
      expect(careTeam({ status })).toEqual([]);
    },
  );

  it('A19: relates nobody to a Group', () => {
    expect(careTeam({ subject: { reference: 'Group/g1' } })).toEqual([]);
  });

  it('A19: relates in the period of the participant within that of the team, to the last instant of its end', () => {
    const participant = [
      { member: { reference: 'Practitioner/d1' }, period: { start: '2026-03-01', end: '2026-03-31' } },
    ];
    expect(careTeam({ participant, period: { start: '2026-03-10' } })).toEqual([
      { ...member, lo: at('2026-03-10T00:00:00+01:00'), hi: at('2026-04-01T00:00:00+02:00') },
    ]);
  });

  it('A19: relates nobody in a period that is over before the team begins, or that cannot be read', () => {
    const of = (period: object) => [{ member: { reference: 'Practitioner/d1' }, period }];
    expect(careTeam({ participant: of({ end: '2026-03-01' }), period: { start: '2026-03-10' } })).toEqual([]);
    expect(careTeam({ participant: of({ end: 'soon' }) })).toEqual([]);
  });

  it('A19: relates roles and organisations on their own grounds, by reference or by number, and nobody else', () => {
    const members = [
      { reference: 'PractitionerRole/r1' },
      { reference: 'http://suture.test/fhir/Organization/o1' },
      { identifier: { system: 'urn:oid:1.2.250.1.71.4.2.1', value: '810101201234' } },
      { identifier: { system: 'https://finess.esante.gouv.fr', value: '750712184' } },
      { reference: 'RelatedPerson/x' },
      { reference: 'http://elsewhere.test/fhir/Practitioner/d1' },
      { display: 'Dr Martin' },
    ];
    const found = careTeam({ participant: members.map((one) => ({ member: one })) });
    expect(found.map((one) => [(one as { who: string }).who, (one as { ground: string }).ground])).toEqual([
      ['PractitionerRole/r1', 'team'],
      ['Organization/o1', 'team-organisation'],
      ['rpps|10101201234', 'team'],
      ['finess|750712184', 'team-organisation'],
    ]);
  });
});

describe('an Encounter', () => {
  const stay = (changes: object) =>
    facts({
      resourceType: 'Encounter',
      status: 'in-progress',
      subject: { reference: 'Patient/p1' },
      participant: [{ individual: { reference: 'Practitioner/d1' } }],
      serviceProvider: { reference: 'Organization/o1' },
      period: { start: '2026-03-02T09:00:00+01:00' },
      ...changes,
    }).relations;

  it('relates participants and the place from its start on', () => {
    const lo = at('2026-03-02T09:00:00+01:00');
    expect(stay({})).toEqual([
      { patient: 'Patient/p1', who: 'Practitioner/d1', ground: 'stay', lo, hi: endOfTime },
      { patient: 'Patient/p1', who: 'Organization/o1', ground: 'place-organisation', lo, hi: endOfTime },
    ]);
  });

  it.each(['planned', 'cancelled', 'entered-in-error', 'unknown'])('relates nobody when it is %s', (status) => {
    expect(stay({ status })).toEqual([]);
  });

  it('that is over relates until its end, and nobody without one', () => {
    const period = { start: '2026-03-02T09:00:00+01:00', end: '2026-03-05T16:00:00+01:00' };
    expect(stay({ status: 'finished', period }).map(({ hi }) => hi)).toEqual([
      at('2026-03-05T16:00:01+01:00'),
      at('2026-03-05T16:00:01+01:00'),
    ]);
    expect(stay({ status: 'finished' })).toEqual([]);
  });
});

describe('a Consent', () => {
  const consent = (provision: object, changes: object = {}) =>
    facts({
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ code: 'patient-privacy' }] },
      patient: { reference: 'Patient/p1' },
      provision,
      ...changes,
    }).relations.map(({ who, ground }) => [who, ground]);
  const actor = [{ reference: { reference: 'Practitioner/d1' } }];

  it('refuses those whom it names, and everybody when it names nobody or somebody who cannot be told', () => {
    expect(consent({ type: 'deny', actor })).toEqual([['Practitioner/d1', 'objection']]);
    expect(consent({ type: 'deny' })).toEqual([['*', 'objection']]);
    expect(consent({ type: 'deny', actor: [{ reference: { display: 'Dr X' } }] })).toEqual([['*', 'objection']]);
  });

  it('refuses emergencies alone when that is its purpose', () => {
    expect(consent({ type: 'deny', purpose: [{ code: 'ETREAT' }] })).toEqual([['*', 'emergency-objection']]);
  });

  it('admits those whom it names, with their exceptions', () => {
    expect(consent({ type: 'permit', actor, provision: [{ type: 'deny', actor }] })).toEqual([
      ['Practitioner/d1', 'consent'],
      ['Practitioner/d1', 'objection'],
    ]);
    expect(consent({ type: 'permit' })).toEqual([]);
  });

  it('says nothing when it is not active, or is about research', () => {
    expect(consent({ type: 'deny' }, { status: 'rejected' })).toEqual([]);
    expect(consent({ type: 'deny' }, { scope: { coding: [{ code: 'research' }] } })).toEqual([]);
    expect(consent({ type: 'deny', purpose: [{ code: 'HRESCH' }] })).toEqual([]);
  });
});

describe('identities', () => {
  it('know a professional by RPPS and a structure by FINESS, however they are written', () => {
    const identifier = [{ system: 'urn:oid:1.2.250.1.71.4.2.1', value: '810101201234' }, { value: 'x' }];
    expect(facts({ resourceType: 'Practitioner', id: 'd1', identifier }).identities).toEqual([
      { known_as: 'rpps|10101201234', reference: 'Practitioner/d1', organisation: '', ...open },
    ]);
    const finess = [{ system: 'urn:oid:1.2.250.1.71.4.2.2', value: '1750712184' }];
    expect(facts({ resourceType: 'Organization', id: 'o1', identifier: finess }).identities).toEqual([
      { known_as: 'finess|750712184', reference: 'Organization/o1', organisation: '', ...open },
    ]);
    expect(facts({ resourceType: 'Practitioner', id: 'd1', active: false, identifier }).identities).toEqual([]);
    expect(facts({ resourceType: 'Organization', id: 'o1', identifier }).identities).toEqual([]);
  });

  it('know a role by its practitioner, in its organisation and its period', () => {
    const role = { practitioner: { reference: 'Practitioner/d1' }, organization: { reference: 'Organization/o1' } };
    expect(facts({ resourceType: 'PractitionerRole', id: 'r1', ...role }).identities).toEqual([
      { known_as: 'Practitioner/d1', reference: 'PractitionerRole/r1', organisation: 'Organization/o1', ...open },
    ]);
    expect(facts({ resourceType: 'PractitionerRole', id: 'r1', active: false, ...role }).identities).toEqual([]);
  });
});

describe('a DocumentReference', () => {
  it('names the Binaries that are its content', () => {
    const content = [
      'Binary/b1',
      'http://suture.test/fhir/Binary/b2',
      'https://elsewhere.test/Binary/b3',
      undefined,
    ].map((url) => ({ attachment: { url } }));
    expect(facts({ resourceType: 'DocumentReference', id: 'x', content }).contents).toEqual(['b1', 'b2']);
  });
});
