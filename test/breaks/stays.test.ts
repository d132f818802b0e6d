/**
 * A stay that two feeds tell of is judged as one, and the link is told (dated scenario 23, second half; src/breaks/stays.ts). In
 * memory; over a merge of patients in test/flows/dated-scenarios.test.ts.
 */
import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { readBreak } from '../../src/breaks/resources.ts';
import { withSingleStays } from '../../src/breaks/stays.ts';
import { qualified, someLetter, somePatient, someStay, someTeam } from '../rules/support.ts';
import { startStory, type Story } from './support.ts';

const circle = [somePatient(qualified), someTeam()];
const known = '2026-03-12T15:30:00+01:00';
const midnight = '2026-03-13T00:00:00+01:00';
const hospital = { serviceProvider: { reference: 'Organization/chu' } };
const numbered = (system: string, value: string) => ({ identifier: [{ system, value }] });
const fromWard = { id: 'stay-1', ...hospital, ...numbered('urn:oid:1.2.250.1.999.1', '2603110042') };
/** The same by the feed of admissions: its own numbering, and its own clock. */
const fromAdmissions = {
  id: 'stay-2',
  ...hospital,
  ...numbered('urn:oid:1.2.250.1.999.2', 'A-77'),
  period: { start: '2026-03-11T07:40:00+01:00', end: '2026-03-12T15:05:00+01:00' },
};

async function told(...stays: readonly object[]): Promise<Story> {
  const story = startStory();
  await story.at(known, ...circle, ...stays.map((stay) => someStay({ ...stay })));
  return story;
}

function foci(story: Story): readonly string[] {
  return story.issues('RUP-20').map((issue) => readBreak(issue)?.key.split(':').at(-1) ?? '');
}

const evidenceOf = (issue: Resource | undefined): readonly string[] =>
  ((issue?.['evidence'] ?? []) as readonly { detail: readonly { reference: string }[] }[]).flatMap(({ detail }) =>
    detail.map(({ reference }) => reference),
  );

describe('A stay that two feeds tell of', () => {
  it('breaks once, and the break names both', async () => {
    const story = await told(fromWard, fromAdmissions);
    await story.at('2026-03-14T00:00:00+01:00');
    expect(story.moves('RUP-20').filter((line) => !line.endsWith('pre-alert'))).toEqual([`${midnight} open`]);
    expect(foci(story)).toEqual(['Encounter/stay-1']);
    expect(evidenceOf(story.issues('RUP-20')[0])).toContain('Encounter/stay-2/_history/1');
  });

  it('is repaired by what refers to the other one', async () => {
    const story = await told(fromWard, fromAdmissions);
    const context = { encounter: [{ reference: 'Encounter/stay-2' }] };
    await story.at('2026-03-12T18:00:00+01:00', someLetter('2026-03-12T18:00:00+01:00', { context }));
    await story.at('2026-03-14T00:00:00+01:00');
    expect(story.moves('RUP-20')).toEqual([]);
  });

  it('has ended when one of them says so', async () => {
    const period = { start: '2026-03-11T08:00:00+01:00' };
    const story = await told({ ...fromWard, status: 'in-progress', period }, fromAdmissions);
    await story.at('2026-03-14T00:00:00+01:00');
    expect([foci(story), story.moves('RUP-20').at(-1)]).toEqual([['Encounter/stay-1'], `${midnight} open`]);
  });

  it('keeps its break where that is, whatever feed comes later', async () => {
    const story = await told(fromAdmissions);
    await story.at('2026-03-14T08:00:00+01:00', someStay(fromWard));
    await story.at('2026-03-15T00:00:00+01:00');
    expect([foci(story), story.moves('RUP-20').at(-1)]).toEqual([['Encounter/stay-2'], `${midnight} open`]);
    expect(story.calls('RUP-20')).toBeGreaterThan(0);
  });

  it('that was taken for two: the second break ends with a link to the stay that is kept; taken apart, it is open again', async () => {
    const elsewhere = { ...fromAdmissions, serviceProvider: { reference: 'Organization/clinic' } };
    const story = await told(fromWard, elsewhere);
    await story.at('2026-03-14T08:00:00+01:00', someStay(fromAdmissions));
    const issueOf = (focus: string) =>
      story.issues('RUP-20').find((issue) => readBreak(issue)?.key.endsWith(focus) === true);
    const stateOf = (focus: string) => {
      const { state, reason } = readBreak(issueOf(focus) as Resource)?.known ?? {};
      return [state, reason];
    };
    expect([stateOf('stay-1'), stateOf('stay-2')]).toEqual([
      ['open', undefined],
      ['moot', 'premise-changed'],
    ]);
    expect(evidenceOf(issueOf('stay-2'))).toEqual(['Encounter/stay-1']);
    await story.at('2026-03-14T09:00:00+01:00', someStay(elsewhere));
    expect([stateOf('stay-1')[0], stateOf('stay-2')[0]]).toEqual(['open', 'open']);
  });

  it('carries the labels of both', () => {
    const meta = { versionId: '1', security: [{ system: 'urn:labels', code: 'R' }] };
    const record = {
      reference: 'Patient/p1',
      patient: undefined,
      professionals: [],
      byType: new Map([['Encounter', [someStay(fromWard), someStay({ ...fromAdmissions, meta })]]]),
    };
    const [stay] = withSingleStays(record).byType.get('Encounter') ?? [];
    expect([stay?.id, stay?.meta?.['security']]).toEqual(['stay-1', meta.security]);
  });

  it.each<readonly [string, object, object]>([
    [
      'one identifier, another organisation',
      { ...fromWard, serviceProvider: undefined },
      { ...numbered('urn:oid:1.2.250.1.999.1', '2603110042') },
    ],
    [
      'one that is known by its days alone',
      fromWard,
      { ...fromAdmissions, period: { start: '2026-03-11', end: '2026-03-12' } },
    ],
    [
      'a time without offset',
      fromWard,
      { ...fromAdmissions, period: { start: '2026-03-11T08:00:00', end: '2026-03-12T14:30:00' } },
    ],
  ])('is known by %s', async (_name, first, second) => {
    const story = await told({ id: 'stay-1', ...first }, { id: 'stay-2', ...second });
    await story.at('2026-03-14T00:00:00+01:00');
    expect(foci(story)).toEqual(['Encounter/stay-1']);
  });
});

describe('Two stays are two', () => {
  it.each<readonly [string, object]>([
    ['with two numbers of one system', numbered('urn:oid:1.2.250.1.999.1', '2603110043')],
    ['of two organisations', { serviceProvider: { reference: 'Organization/clinic' } }],
    ['where nobody says whose they are', { serviceProvider: undefined }],
    [
      'of two classes, under one number',
      { ...numbered('urn:oid:1.2.250.1.999.1', '2603110042'), class: { code: 'ACUTE' } },
    ],
    [
      'one of which is part of the other',
      { ...numbered('urn:oid:1.2.250.1.999.1', '2603110042'), partOf: { reference: 'Encounter/stay-1' } },
    ],
    [
      'that begin on the same morning and end on two days',
      { period: { start: '2026-03-11T07:40:00+01:00', end: '2026-03-13T10:00:00+01:00' } },
    ],
    [
      'one after the other, under one number',
      {
        ...numbered('urn:oid:1.2.250.1.999.1', '2603110042'),
        period: { start: '2026-03-12T16:00:00+01:00', end: '2026-03-12T22:00:00+01:00' },
      },
    ],
  ])('%s', async (_name, more) => {
    const story = await told(fromWard, { ...fromAdmissions, ...more });
    await story.at('2026-03-16T00:00:00+01:00');
    expect(foci(story)).toEqual(['Encounter/stay-1', 'Encounter/stay-2']);
  });
});
