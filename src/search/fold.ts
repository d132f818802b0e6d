/**
 * Texts as they are compared (https://hl7.org/fhir/R4/search.html#string): without case, accents, punctuation and
 * surplus white space. The index holds folded texts, a search folds its value in the same way.
 */
import { searchLimits } from '../base/index.ts';

const marks = /\p{M}+/gu;
const notWord = /[^\p{L}\p{N}]+/gu;
const ligatures: Readonly<Record<string, string>> = { œ: 'oe', æ: 'ae', ß: 'ss', ø: 'o', ł: 'l', đ: 'd' };
const ligature = /[œæßøłđ]/g;
const plain = /^[a-z0-9]*$/;

/** `d'Ürsel-MÜLLER` -> `d ursel muller`. */
export function foldText(text: string): string {
  const lower = text.toLowerCase();
  if (plain.test(lower)) return lower;
  return lower
    .replace(ligature, (letter) => ligatures[letter] ?? letter)
    .normalize('NFKD')
    .replace(marks, '')
    .replace(notWord, ' ')
    .trim();
}

export function cutText(folded: string): string {
  return folded.length <= searchLimits.stringCharactersMax ? folded : cutWhole(folded);
}

/** Never half of a surrogate pair. */
function cutWhole(text: string): string {
  const cut = text.slice(0, searchLimits.stringCharactersMax);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

/** Codes are compared without case (https://hl7.org/fhir/R4/search.html#token: "when in doubt"); identifiers are not. */
export function foldCode(code: string): string {
  return code.toLowerCase();
}

const phoneForm = /^\+?[\d\s().\-/]+$/;

/** Phone numbers without their punctuation, other contacts without case. */
export function foldContact(value: string): string {
  return phoneForm.test(value) ? value.replace(/[\s().\-/]/g, '') : value.trim().toLowerCase();
}

/** What stands between words; the same signs as in `words_of()` (migration 0013). */
const betweenWords = /[\u0000-/:-@[-`{-\u00bf\u2000-\u206f\u3000-\u303f]+/;

/** The words of a text, folded, for `_text` and `_content`. */
export function wordsOf(text: string): readonly string[] {
  const folded = text
    .toLowerCase()
    .replace(ligature, (letter) => ligatures[letter] ?? letter)
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '');
  return folded.split(betweenWords).filter((word) => word !== '');
}
