/**
 * Outcomes in French, for those who prefer it (Accept-Language). Texts are written in English where they arise and looked up
 * here, so that no part of the server carries a language along; `language` says what an outcome is in.
 */
import { jsonLimits, parseJson, serializeJson } from '../fhir/index.ts';
import { frenchKinds, frenchTexts, frenchWords } from './french-texts.ts';

interface Rule {
  readonly form: RegExp;
  readonly french: string;
}

const whole: ReadonlyMap<string, string> = new Map(frenchTexts.filter(([english]) => !english.includes('{}')));
const rules: readonly Rule[] = frenchTexts
  .filter(([english]) => english.includes('{}'))
  .map(([english, french]) => ({ form: toForm(english), french }));

function toForm(english: string): RegExp {
  const parts = english.split('{}').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('(.*)')}$`, 's');
}

/** undefined: this text has no French. */
export function frenchOf(text: string): string | undefined {
  const known = whole.get(text);
  if (known !== undefined) return known;
  const prefixed = /^(parameter [^:\s]+(?::[^:\s]+)*|a parameter): (.+)$/s.exec(text);
  if (prefixed !== null) {
    const [, name = '', rest = ''] = prefixed;
    const found = frenchOf(rest);
    const named = name === 'a parameter' ? 'un paramètre' : name.replace('parameter', 'paramètre');
    return found === undefined ? undefined : `${named} : ${found}`;
  }
  for (const { form, french } of rules) {
    const parts = form.exec(text);
    if (parts !== null) return french.replace(/\{(\d)\}/g, (_all, at: string) => wordOf(parts[Number(at)] ?? ''));
  }
  return undefined;
}

function wordOf(part: string): string {
  const line = /^line (\d+), column (\d+)$/.exec(part);
  if (line !== null) return `ligne ${line[1]}, colonne ${line[2]}`;
  return frenchWords.get(part) ?? part;
}

interface Issue {
  readonly code?: string;
  readonly details?: { readonly text?: string };
}

/** JSON text of an outcome, or of a Bundle with outcomes among its entries; other numbers keep their digits. */
export function speakFrench(body: string): string {
  const value = parseJson(body, {
    ...jsonLimits,
    depthMax: jsonLimits.depthMax + 10,
    valuesMax: Number.POSITIVE_INFINITY,
  });
  if (isOutcome(value)) return serializeJson(inFrench(value));
  const { entry, ...rest } = value as { entry?: readonly Entry[] };
  return entry === undefined ? body : serializeJson({ ...rest, entry: entry.map(entryInFrench) });
}

interface Entry {
  readonly resource?: unknown;
  readonly response?: { readonly outcome?: unknown };
}

function entryInFrench(entry: Entry): Entry {
  const outcome = entry.response?.outcome;
  if (isOutcome(entry.resource)) return { ...entry, resource: inFrench(entry.resource) };
  return isOutcome(outcome) ? { ...entry, response: { ...entry.response, outcome: inFrench(outcome) } } : entry;
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
  const text = issue.details?.text;
  if (text === undefined) return issue;
  const french = frenchOf(text) ?? `${frenchKinds.get(issue.code ?? '') ?? 'refus'} (en anglais : ${text})`;
  return { ...issue, details: { ...issue.details, text: french } };
}
