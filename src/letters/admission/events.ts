/**
 * The events of HL7 v2 ADT that are understood (HL7 2.5 chapter 3, IHE PAM National Extension France 2.11): what each says of
 * the stay, and in which order those of one second come. Those about the person alone have no place in a stay.
 */
export type StayAct =
  | 'admit'
  | 'transfer'
  | 'discharge'
  | 'update'
  | 'cancel-admit'
  | 'cancel-transfer'
  | 'cancel-discharge';

export type AdmissionAct = StayAct | 'person' | 'merge';

export const admissionActs: ReadonlyMap<string, AdmissionAct> = new Map([
  ['A01', 'admit'],
  ['A02', 'transfer'],
  ['A03', 'discharge'],
  ['A04', 'admit'],
  ['A08', 'update'],
  ['A11', 'cancel-admit'],
  ['A12', 'cancel-transfer'],
  ['A13', 'cancel-discharge'],
  ['A28', 'person'],
  ['A31', 'person'],
  ['A40', 'merge'],
  ['Z99', 'update'],
]);

/** Of acts recorded in the same second: what is cancelled was done before. */
export const actOrder: Readonly<Record<StayAct, number>> = {
  admit: 0,
  transfer: 1,
  update: 2,
  discharge: 3,
  'cancel-discharge': 4,
  'cancel-transfer': 5,
  'cancel-admit': 6,
};
