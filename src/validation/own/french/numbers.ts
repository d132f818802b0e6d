/**
 * Keys of French national numbers. NIR: 13 characters and a key of two, 97 less the number modulo 97, where Corsica's 2A
 * and 2B count as 19 and 18. RPPS, SIREN, SIRET, FINESS and ADELI end with a digit by the formula of Luhn; Corsican FINESS
 * and ADELI numbers, which have a letter, are judged by their form alone. No specification of ADELI's key was found; the
 * numbers in the public directory (Annuaire Santé) that were looked at follow the formula, and it only warns.
 */

/** Why a number is none: its form, or its key. */
export type NumberFault = 'form' | 'key';

export type JudgeNumber = (text: string) => NumberFault | undefined;

const nirForm = /^([1-478]\d{4}(?:\d{2}|2[AB])\d{6})(\d{2})$/;

export function judgeNir(text: string): NumberFault | undefined {
  const [, number, key] = nirForm.exec(text) ?? [];
  if (number === undefined) return 'form';
  const digits = Number(number.replace('2A', '19').replace('2B', '18'));
  return 97 - (digits % 97) === Number(key) ? undefined : 'key';
}

export const judgeRpps: JudgeNumber = (text) => byLuhn(text, /^\d{11}$/);
export const judgeAdeli: JudgeNumber = (text) => byLuhn(text, /^(?:\d{2}|2[AB])\d{7}$/);
export const judgeFiness: JudgeNumber = (text) => byLuhn(text, /^(?:\d{2}|2[AB])\d{7}$/);

/** A company by nine digits (SIREN), one of its sites by fourteen (SIRET). */
export function judgeSirene(text: string): NumberFault | undefined {
  // The sites of La Poste have sums of digits that are multiples of five: there are more of them than Luhn allows.
  if (/^356000000\d{5}$/.test(text) && sumOfDigits(text) % 5 === 0) return undefined;
  return byLuhn(text, /^(?:\d{9}|\d{14})$/);
}

function byLuhn(text: string, form: RegExp): NumberFault | undefined {
  if (!form.test(text)) return 'form';
  return /[AB]/.test(text) || isLuhn(text) ? undefined : 'key';
}

export function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - 48;
    const weighed = place % 2 === 0 ? digit : 2 * digit;
    sum += weighed > 9 ? weighed - 9 : weighed;
  }
  return sum % 10 === 0;
}

function sumOfDigits(digits: string): number {
  return [...digits].reduce((sum, digit) => sum + Number(digit), 0);
}
