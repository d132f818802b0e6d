/**
 * Regular expressions of rules, bounded so that no text can make them slow: JavaScript's engine backtracks, and
 * `^(a+)+$` on 27 characters takes seconds. Allowed are literals, classes, anchors, groups and few quantifiers; what
 * multiplies the ways to match is refused: a quantifier on a group that repeats or chooses, references, look-around.
 * What remains costs at most n^(v+1) · 2^c steps on n characters, with v variable quantifiers and c choices: hence
 * `costMax`, where a variable quantifier weighs as much as four choices, and `matchedCharactersMax`.
 */

const patternLimits = { charactersMax: 100, costMax: 9, variableCost: 4, repeatsMax: 100 };
/** Longer texts are an evaluation error. */
export const matchedCharactersMax = 250;

/** A text of so many characters may be held against a pattern of `shortCostMax`: three variable quantifiers, milliseconds. */
export const shortTextMax = 60;
export const shortCostMax = 13;

/** Why the pattern is refused; undefined when it is safe and valid. */
export function findPatternFault(pattern: string, costMax = patternLimits.costMax): string | undefined {
  if (pattern.length > patternLimits.charactersMax) {
    return `the pattern has ${pattern.length} characters, at most ${patternLimits.charactersMax} are allowed`;
  }
  try {
    new RegExp(pattern, 'u');
  } catch {
    return 'the pattern is not a valid regular expression';
  }
  if (/\\[1-9k]/.test(pattern)) return 'the pattern refers back to a group';
  if (/\(\?(?!:)/.test(pattern)) return 'the pattern looks ahead or behind, or names a group';
  const plain = pattern
    .replace(/\\./g, '_')
    .replace(/\[[^\]]*\]/g, '_')
    .replaceAll('(?:', '(');
  return (
    findCostFault(plain, costMax) ??
    (hasQuantifiedBranch(plain) ? 'the pattern repeats a group that repeats or chooses' : undefined)
  );
}

/** `plain`: escapes and classes are one character each, groups have no marks. */
function findCostFault(plain: string, costMax: number): string | undefined {
  const count = (expression: RegExp): number => plain.match(expression)?.length ?? 0;
  const { variableCost, repeatsMax } = patternLimits;
  const variable = count(/[*+]|\{\d+,\d*\}/g);
  const choices = count(/[?|]/g);
  if (variable * variableCost + choices > costMax) {
    return `the pattern can match in too many ways (${variable} of *, +, {n,m}; ${choices} of ?, |)`;
  }
  const repeats = (plain.match(/\d+(?=[\d,]*\})/g) ?? []).map(Number);
  return repeats.some((times) => times > repeatsMax) ? `the pattern repeats more than ${repeatsMax} times` : undefined;
}

/** A group followed by a quantifier, with a quantifier or an alternative inside it, at any depth. */
function hasQuantifiedBranch(plain: string): boolean {
  const isBranching: boolean[] = [false];
  for (let at = 0; at < plain.length; at++) {
    const character = plain[at] ?? '';
    if (character === '(') isBranching.push(false);
    else if (character === ')') {
      const isInside = isBranching.pop() ?? false;
      const isQuantified = /^[*+?{]/.test(plain.slice(at + 1));
      if (isInside && isQuantified) return true;
      if (isInside || isQuantified) isBranching[isBranching.length - 1] = true;
    } else if ('*+?{|'.includes(character)) isBranching[isBranching.length - 1] = true;
  }
  return false;
}
