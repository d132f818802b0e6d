/** Right inputs of each kind: what the fuzz changes. All persons and numbers are invented. */
import { loadDefinitions, parseJson, type Resource, writeFhirXml } from '../../src/fhir/index.ts';
import { fixture, richLetter } from '../letters/letters.ts';
import { archivePart, mailOf } from '../letters/mails.ts';
import { messageOf } from '../letters/messages.ts';
import { xdmOf, zipOf } from '../letters/xdm.ts';
import { adtOf } from '../letters/admission/adt.ts';
import { episode, person } from '../support/builders.ts';
import { planted } from '../support/canaries.ts';

export const definitions = loadDefinitions();
const bytes = (text: string): Buffer => Buffer.from(text);

const types = [
  'Patient',
  'Observation',
  'Encounter',
  'DocumentReference',
  'Questionnaire',
  'Bundle',
  'Subscription',
  'PlanDefinition',
  'ValueSet',
  'Timing',
];
const resources: readonly Resource[] = [
  ...episode(person('fuzz', 500)),
  ...types.filter((type) => definitions.resourceTypes.has(type)).map((type) => planted(definitions, type, 'right')),
];
const transaction = {
  resourceType: 'Bundle',
  type: 'transaction',
  entry: resources.slice(0, 4).map((resource) => ({
    fullUrl: `urn:uuid:${resource.id}`,
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}`, ifMatch: 'W/"1"' },
  })),
};

export interface Seeds {
  readonly json: readonly Buffer[];
  readonly xml: readonly Buffer[];
  readonly cda: readonly Buffer[];
  readonly er7: readonly Buffer[];
  readonly zip: readonly Buffer[];
  readonly mime: readonly Buffer[];
  readonly patch: readonly Buffer[];
}

export async function openSeeds(): Promise<Seeds> {
  const letters = [fixture('discharge.xml'), richLetter('admission'), richLetter('discharge')];
  const archives = [
    await xdmOf([{ bytes: letters[0] ?? '' }]),
    await zipOf([
      ['a/b.txt', 'x'],
      ['c.xml', '<a/>'],
    ]),
  ];
  return {
    json: [...resources, transaction].map((one) => bytes(JSON.stringify(one))),
    xml: resources.map((one) => bytes(writeFhirXml(parseJson(JSON.stringify(one)) as Resource, definitions))),
    cda: letters.map(bytes),
    er7: [
      bytes(messageOf(letters[0] ?? '')),
      bytes(messageOf('<ClinicalDocument/>', { type: 'ORU^R01^ORU_R01', flags: { MASQUE_PS: 'Y' } })),
      bytes(adtOf({ event: 'A01', recorded: '20260301100000', ipp: 'F1', stay: 'F-S1', controlId: 'F-1' })),
    ],
    zip: archives,
    mime: [mailOf({ parts: archives.map((one) => archivePart(one)) }), mailOf()],
    patch: [
      bytes('[{"op":"replace","path":"/gender","value":"male"},{"op":"copy","from":"/name/0","path":"/name/-"}]'),
      bytes('[{"op":"test","path":"/name/0/family","value":"X"},{"op":"move","from":"/name","path":"/contact"}]'),
    ],
  };
}
