/**
 * The main clinical instant of each type: the date parameter by which its newest-first pages are ordered, so that
 * `patient=...&_sort=-date` is one range of the token index. The first that a type has.
 */
const ordParameters = [
  'date',
  'authored-on',
  'authored',
  'authoredon',
  'sent',
  'recorded',
  'recorded-date',
  'identified',
  'effective-time',
  'effective',
  'whenhandedover',
  'start',
  'started',
  'issued',
  'created',
  'occurrence',
  'collected',
  'datetime',
  'datewritten',
  'timestamp',
  'entered-date',
  'start-date',
  'period',
] as const;

export function ordParameter(codes: ReadonlyMap<string, unknown>): string | undefined {
  return ordParameters.find((code) => codes.has(code));
}
