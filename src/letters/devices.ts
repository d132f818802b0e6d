/**
 * supply -> Device and DeviceUseStatement.
 *
 *   playingDevice/code, translations -> Device.type     participantRole/id -> udiCarrier, and what the UDI holds
 *   effectiveTime -> timingPeriod                       line of the narrative -> note
 */
import type { CodeableConcept, Device, DeviceUdiCarrier, DeviceUseStatement, Reference } from 'fhir/r4.js';
import { attribute, child, children, textOf, type XmlElement } from '../formats/index.ts';
import { element } from './element.ts';
import { codeOf, named, period } from './entry-values.ts';
import { type Extraction, lineNote, make, note, type Place, statementText, timeOf } from './extraction.ts';

export function readDevice(extraction: Extraction, place: Place, statement: XmlElement): readonly Reference[] {
  const { around, document } = extraction;
  const participant = children(statement, 'participant').find((who) => attribute(who, 'typeCode') === 'DEV');
  const role = child(participant, 'participantRole');
  const playing = child(role, 'playingDevice');
  const type = typeOf(place, playing);
  const udi = udiOf(role);
  if (type === undefined && udi === undefined) {
    note(extraction, place, 'entry-without-code', 'dispositif sans nom ni identifiant ; seul le texte est gardé');
    return [];
  }
  const device = make(
    extraction,
    place,
    element<Device>({
      resourceType: 'Device',
      udiCarrier: udi?.carriers,
      status: 'active',
      expirationDate: udi?.expiry,
      lotNumber: udi?.lot,
      serialNumber: udi?.serial,
      type,
      patient: around.subject,
    }),
  );
  const use = element<DeviceUseStatement>({
    resourceType: 'DeviceUseStatement',
    status: 'active',
    subject: around.subject,
    derivedFrom: [around.letter],
    timingPeriod: period(timeOf(extraction, place, statement)),
    recordedOn: document.effectiveTime,
    source: around.asserter,
    device,
    note: lineNote(place, statement),
  });
  return [device, make(extraction, place, use)];
}

function typeOf(place: Place, playing: XmlElement | undefined): CodeableConcept | undefined {
  const coded = codeOf(playing, 'code');
  const code = child(playing, 'code');
  const model = textOf(child(playing, 'manufacturerModelName'));
  return named(coded, coded?.text ?? model ?? (code && statementText(place, code)));
}

interface Udi {
  readonly carriers: DeviceUdiCarrier[];
  readonly expiry: string | undefined;
  readonly lot: string | undefined;
  readonly serial: string | undefined;
}

/** `(01)00844588003288(17)141120(10)7654321D(21)1098`, also with braces: GS1 application identifiers. */
function udiOf(role: XmlElement | undefined): Udi | undefined {
  const text = children(role, 'id')
    .map((id) => attribute(id, 'extension') ?? '')
    .find((extension) => /^[({]01[)}]\d{14}/.test(extension));
  if (text === undefined) return undefined;
  const part = (identifier: string): string | undefined =>
    new RegExp(`[({]${identifier}[)}]([^({)}]+)`).exec(text)?.[1];
  return {
    carriers: [element<DeviceUdiCarrier>({ carrierHRF: text, deviceIdentifier: part('01') })],
    expiry: dayOf(part('17')),
    lot: part('10'),
    serial: part('21'),
  };
}

/** `141120` -> `2014-11-20`; day 00, which GS1 allows for "the month", gives none. */
function dayOf(text: string | undefined): string | undefined {
  const [, year, month, day] = /^(\d\d)(\d\d)(\d\d)$/.exec(text ?? '') ?? [];
  const date = `20${year}-${month}-${day}`;
  const at = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== date ? undefined : date;
}
