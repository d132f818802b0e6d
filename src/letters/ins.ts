/**
 * The national health identity (INS): its assigning authorities and the key of its number.
 * A matricule is 13 characters and a key of two: 97 less the number modulo 97, Corsica's 2A and 2B counted as 19 and 18.
 */
export type InsKind = 'production' | 'test';

interface InsAuthority {
  readonly type: string;
  readonly kind: InsKind;
}

const authorities: ReadonlyMap<string, InsAuthority> = new Map([
  ['urn:oid:1.2.250.1.213.1.4.8', { type: 'INS-NIR', kind: 'production' }],
  ['urn:oid:1.2.250.1.213.1.4.9', { type: 'INS-NIA', kind: 'production' }],
  ['urn:oid:1.2.250.1.213.1.4.10', { type: 'INS-NIR-TEST', kind: 'test' }],
  ['urn:oid:1.2.250.1.213.1.4.11', { type: 'INS-NIR-DEMO', kind: 'test' }],
]);

/** `undefined` when the identifier system is none of the INS. */
export function insAuthority(system: string | undefined): InsAuthority | undefined {
  return authorities.get(system ?? '');
}

export function isInsValid(matricule: string): boolean {
  const parts = /^(\d{5}(?:\d\d|2[AB])\d{6})(\d\d)$/.exec(matricule.toUpperCase());
  if (parts === null) return false;
  const [, number = '', key = ''] = parts;
  const digits = number.replace('2A', '19').replace('2B', '18');
  return 97 - (Number(digits) % 97) === Number(key);
}
