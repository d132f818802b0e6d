/**
 * RUP-38: what meets it (a validated identity with a national number, INS) also ends its start, so only an engine that knew the
 * expectation can call it met. Told as stories, because no fixture can.
 */
import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../../src/fhir/index.ts';
import { startStory } from './support.ts';

const base = 'https://hl7.fr/ig/fhir/core';

function patient(status: string | undefined, system?: string): Resource {
  const code = { system: `${base}/CodeSystem/fr-core-cs-v2-0445`, code: status };
  return {
    resourceType: 'Patient',
    id: 'p1',
    birthDate: '1948-05-02',
    ...(system === undefined ? {} : { identifier: [{ system, value: '248057512300129' }] }),
    ...(status === undefined
      ? {}
      : {
          extension: [
            {
              url: `${base}/StructureDefinition/fr-core-identity-reliability`,
              extension: [{ url: 'identityStatus', valueCoding: code }],
            },
          ],
        }),
  };
}

const ins = (n: number) => `urn:oid:1.2.250.1.213.1.4.${n}`;
const opened = '2026-03-06T00:00:00+01:00 open';

describe('An identity that is not qualified in three working days', () => {
  it.each([8, 9, 10, 11])('is repaired by a validated identity with a number of %i', async (n) => {
    const story = startStory();
    await story.at('2026-03-02T10:00:00+01:00', patient('PROV'));
    await story.at('2026-03-10T10:00:00+01:00', patient('VALI', ins(n)));
    expect(story.moves('RUP-38')).toEqual([opened, '2026-03-10T10:00:00+01:00 auto-closed late']);
  });

  it('stays broken when it is validated without a national number, or numbered without being validated', async () => {
    const story = startStory();
    await story.at('2026-03-02T10:00:00+01:00', patient(undefined));
    await story.at('2026-03-10T10:00:00+01:00', patient('VALI'));
    await story.at('2026-03-11T10:00:00+01:00', patient('VALI', 'https://hopital.example/ipp'));
    await story.at('2026-03-12T10:00:00+01:00', patient('PROV', ins(8)));
    expect(story.moves('RUP-38')).toEqual([opened]);
  });

  it('raises nothing when it is qualified in time', async () => {
    const story = startStory();
    await story.at('2026-03-02T10:00:00+01:00', patient('PROV'));
    await story.at('2026-03-05T23:59:59+01:00', patient('VALI', ins(8)));
    await story.at('2026-03-20T10:00:00+01:00');
    expect(story.moves('RUP-38')).toEqual([]);
  });

  it('has lost its object when the record is closed', async () => {
    const story = startStory();
    await story.at('2026-03-02T10:00:00+01:00', patient('PROV'));
    await story.at('2026-03-09T10:00:00+01:00', { ...patient('PROV'), active: false });
    expect(story.moves('RUP-38')).toEqual([opened, '2026-03-09T10:00:00+01:00 moot premise-changed']);
  });
});
