/**
 * Who takes part in a stay, as ADT messages name them: doctors (XCN) by their number in the national registers, the hospital by its
 * FINESS where that stands anywhere in what it says of a place.
 */
import type { EncounterParticipant, Reference } from 'fhir/r4.js';
import {
  componentOf,
  type Hl7Message,
  type Hl7Segment,
  type OrganizationParty,
  type Party,
  repetitionsOf,
  segmentsOf,
  valueOf,
} from '../../formats/index.ts';
import { codeSystems } from '../codes.ts';
import { persons, structures } from '../identifiers.ts';
import type { Professionals } from '../professionals.ts';

/** HL7 v3 ParticipationType. */
const doctorRoles: readonly Role[] = [
  { field: 7, type: 'ATND' },
  { field: 8, type: 'REF' },
  { field: 17, type: 'ADM' },
];

/** Attending, referring, admitting. */
export function readDoctors(
  message: Hl7Message,
  pv1: Hl7Segment | undefined,
  professionals: Professionals,
): EncounterParticipant[] {
  return doctorRoles.flatMap((role) => doctors(message, pv1, { ...role, professionals }));
}

interface Role {
  readonly field: number;
  readonly type: string;
}

function doctors(
  message: Hl7Message,
  pv1: Hl7Segment | undefined,
  { field, type, professionals }: Role & { readonly professionals: Professionals },
): EncounterParticipant[] {
  return repetitionsOf(message, pv1, field).flatMap((xcn) => {
    const individual = professionals.person(partyOf(message, xcn));
    const coding = [{ system: codeSystems.participationType, code: type }];
    return individual === undefined ? [] : [{ type: [{ coding }], individual }];
  });
}

/** The médecin traitant as PAM France has it: ROL with the role ODRP. */
export function readGeneralPractitioner(message: Hl7Message, professionals: Professionals): Reference | undefined {
  const rol = segmentsOf(message, 'ROL').find((one) => valueOf(message, one, 3) === 'ODRP');
  const [xcn] = repetitionsOf(message, rol, 4);
  return xcn === undefined ? undefined : professionals.person(partyOf(message, xcn));
}

/** XCN; numbers of the national registers get the digit that says which register. */
function partyOf(message: Hl7Message, xcn: string): Party {
  const at = (component: number) => componentOf(message, xcn, component);
  const root = componentOf(message, xcn, 9, 2);
  const prefix = at(13) === 'RPPS' ? '8' : at(13) === 'ADELI' ? '0' : '';
  const family = componentOf(message, xcn, 2, 1);
  return {
    classCode: undefined,
    ids: root === persons && at(1) !== '' ? [{ root, extension: `${prefix}${at(1)}` }] : [],
    code: undefined,
    telecoms: [],
    addresses: [],
    name: {
      families: family === '' ? [] : [{ text: family, qualifier: undefined }],
      givens: at(3) === '' ? [] : [{ text: at(3), qualifier: undefined }],
      prefixes: [],
      suffixes: at(6) === '' ? [] : [at(6)],
      text: undefined,
    },
    device: undefined,
    organization: undefined,
  };
}

/** The hospital, where it is named by its FINESS. */
export function providerOf(message: Hl7Message, pv1: Hl7Segment | undefined): OrganizationParty | undefined {
  const pl = repetitionsOf(message, pv1, 3)[0] ?? '';
  const visit = repetitionsOf(message, pv1, 19)[0] ?? '';
  const named = [1, 2, 3, 4, 5].map((component) => ({ text: pl, component })).concat({ text: visit, component: 4 });
  const found = named.find(({ text, component }) =>
    /^[0-9][0-9AB][0-9]{7}$/.test(componentOf(message, text, component, 2)),
  );
  if (found === undefined) return undefined;
  return {
    ids: [{ root: structures, extension: `1${componentOf(message, found.text, found.component, 2)}` }],
    name: componentOf(message, found.text, found.component, 1) || undefined,
    telecoms: [],
    addresses: [],
    industry: undefined,
    partOf: undefined,
  };
}
