/**
 * Outcomes in the language that is preferred (Accept-Language). Texts are written in English where they arise (what is said of
 * letters in French) and looked up here, so that no part of the server carries a language along; `language` says what an outcome
 * is in. `test/http/french.test.ts` holds the tables against all sources.
 */
import { jsonLimits } from '../base/index.ts';
import { parseJson, serializeJson } from '../fhir/index.ts';
import { frenchAccessTexts } from './french-access.ts';
import { frenchDocumentTexts } from './french-documents.ts';
import { frenchDomainTexts, frenchPrefixes } from './french-domain-texts.ts';
import { frenchLanguageTexts } from './french-language-texts.ts';
import { frenchKinds, frenchTexts, frenchWords } from './french-texts.ts';
import { letterTexts } from './letter-texts.ts';

interface Rule {
  readonly form: RegExp;
  readonly into: string;
}

type Rows = readonly (readonly [from: string, into: string])[];

/** A translation of whole texts: those that stand in the table, and those with parts that vary. */
function translator(rows: Rows, word: (part: string) => string): (text: string) => string | undefined {
  const whole: ReadonlyMap<string, string> = new Map(rows.filter(([from]) => !from.includes('{}')));
  const rules = toRules(rows.filter(([from]) => from.includes('{}')));
  return (text) => whole.get(text) ?? firstOf(rules, text, word);
}

function toRules(rows: Rows): readonly Rule[] {
  return rows.map(([from, into]) => ({ form: toForm(from), into }));
}

function firstOf(rules: readonly Rule[], text: string, word: (part: string) => string): string | undefined {
  for (const { form, into } of rules) {
    const parts = form.exec(text);
    if (parts !== null) return into.replace(/\{(\d)\}/g, (_all, at: string) => word(parts[Number(at)] ?? ''));
  }
  return undefined;
}

function toForm(from: string): RegExp {
  const parts = from.split('{}').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('(.*)')}$`, 's');
}

const toFrench = translator(
  [...frenchTexts, ...frenchLanguageTexts, ...frenchDomainTexts, ...frenchDocumentTexts, ...frenchAccessTexts],
  wordOf,
);
const toEnglish = translator(letterTexts, (part) => part);
const prefixRules = toRules(frenchPrefixes);

/** undefined: this text has no French. What is said of letters is French as it is. */
export function frenchOf(text: string): string | undefined {
  const known = toFrench(text) ?? (toEnglish(text) === undefined ? undefined : text);
  if (known !== undefined) return known;
  const placed = /^(.+) \((line \d+, column \d+)\)$/s.exec(text);
  if (placed !== null) {
    const [, rest = '', place = ''] = placed;
    const found = frenchOf(rest);
    return found === undefined ? undefined : `${found} (${wordOf(place)})`;
  }
  return behindPrefix(text);
}

/** A colon may stand in the prefix too: the first that gives two known parts. */
function behindPrefix(text: string): string | undefined {
  for (let at = text.indexOf(': '); at >= 0; at = text.indexOf(': ', at + 1)) {
    const prefix = firstOf(prefixRules, text.slice(0, at), wordOf);
    const rest = prefix === undefined ? undefined : frenchOf(text.slice(at + 2));
    if (prefix !== undefined && rest !== undefined) return `${prefix} : ${rest}`;
  }
  return undefined;
}

/** Of a text that is French where it arises; undefined: it is English, or not known. */
export function englishOf(text: string): string | undefined {
  return toEnglish(text);
}

function wordOf(part: string): string {
  const line = /^line (\d+), column (\d+)$/.exec(part);
  if (line !== null) return `ligne ${line[1]}, colonne ${line[2]}`;
  return frenchWords.get(part) ?? part;
}

interface Details {
  readonly text?: string;
  readonly _text?: { readonly extension?: readonly Translation[] };
}

interface Translation {
  readonly url?: string;
  readonly extension?: readonly { readonly url?: string; readonly valueString?: string }[];
}

interface Issue {
  readonly code?: string;
  readonly details?: Details;
}

export type Language = 'en' | 'fr';

/** JSON text of an outcome, or of a Bundle with outcomes among its entries; other numbers keep their digits. */
export function speak(language: Language, body: string): string {
  const value = parseJson(body, {
    ...jsonLimits,
    depthMax: jsonLimits.depthMax + 10,
    valuesMax: Number.POSITIVE_INFINITY,
  });
  const say = (outcome: Outcome): Outcome => (language === 'fr' ? inFrench(outcome) : inEnglish(outcome));
  if (isOutcome(value)) return serializeJson(say(value));
  const { entry, ...rest } = value as { entry?: readonly Entry[] };
  if (entry === undefined) return body;
  return serializeJson({ ...rest, entry: entry.map((one) => sayEntry(one, say)) });
}

interface Entry {
  readonly resource?: unknown;
  readonly response?: { readonly outcome?: unknown };
}

function sayEntry(entry: Entry, say: (outcome: Outcome) => Outcome): Entry {
  const outcome = entry.response?.outcome;
  if (isOutcome(entry.resource)) return { ...entry, resource: say(entry.resource) };
  return isOutcome(outcome) ? { ...entry, response: { ...entry.response, outcome: say(outcome) } } : entry;
}

interface Outcome {
  readonly resourceType: 'OperationOutcome';
  readonly language?: string;
  readonly issue?: readonly Issue[];
}

function isOutcome(value: unknown): value is Outcome {
  return (value as Partial<Outcome> | null)?.resourceType === 'OperationOutcome';
}

function inFrench(outcome: Outcome): Outcome {
  if (outcome.language !== undefined || outcome.issue === undefined) return outcome;
  const { resourceType, ...rest } = outcome;
  return { resourceType, language: 'fr', ...rest, issue: outcome.issue.map(issueInFrench) };
}

function issueInFrench(issue: Issue): Issue {
  const { text, _text: translated, ...details } = issue.details ?? {};
  if (text === undefined) return issue;
  const given = translated?.extension?.flatMap(({ extension = [] }) => extension);
  const french = frenchOf(text) ?? given?.find(({ url }) => url === 'content')?.valueString;
  const fallback = `${frenchKinds.get(issue.code ?? '') ?? 'refus'} (en anglais : ${text})`;
  return { ...issue, details: { ...details, text: french ?? fallback } };
}

function inEnglish(outcome: Outcome): Outcome {
  if (outcome.language !== undefined || outcome.issue === undefined) return outcome;
  const issue = outcome.issue.map((one) => {
    const english = one.details?.text === undefined ? undefined : englishOf(one.details.text);
    return english === undefined ? one : { ...one, details: { ...one.details, text: english } };
  });
  return { ...outcome, issue };
}
