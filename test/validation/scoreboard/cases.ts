/**
 * The public test cases of FHIR validators (https://github.com/FHIR/fhir-test-cases, folder `validator`), read from a
 * checkout beside the project: for each R4 case what is judged, against what, and what the HL7 validator found. What
 * cannot be asked of a server of R4 resources is left out, each with its reason.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One judgement: a case has one of the resource by itself, and may have another against a profile. */
export interface Case {
  readonly name: string;
  readonly category: string;
  readonly file: string;
  /** File, or canonical, of the profile that it is asked to conform to. */
  readonly profile: string | undefined;
  /** Files with definitions. */
  readonly supporting: readonly string[];
  /** Package files. */
  readonly packages: readonly string[];
  readonly expected: readonly Finding[];
  /** Why it is not asked. */
  readonly leftOut: string | undefined;
}

export interface Finding {
  readonly severity: string;
  readonly code: string;
  readonly text: string;
  readonly expression: string;
}

interface Entry {
  readonly name: string;
  readonly file: string;
  readonly version?: string;
  readonly module?: string;
  readonly java?: unknown;
  readonly 'use-test'?: boolean;
  readonly profiles?: readonly string[];
  readonly supporting?: readonly string[];
  readonly packages?: readonly string[];
  /** What packages depend on -> the file that has it. */
  readonly 'package-map'?: Readonly<Record<string, string>>;
  readonly logical?: unknown;
  readonly matchetype?: unknown;
  readonly profile?: { readonly source?: string; readonly supporting?: readonly string[]; readonly java?: unknown };
}

export function readCases(folder: string): readonly Case[] {
  const manifest = readJson(join(folder, 'manifest.json')) as { readonly 'test-cases': readonly Entry[] };
  const entries = manifest['test-cases'].filter(({ version }) => version?.startsWith('4.0') === true);
  return entries.flatMap((entry) => readEntry(folder, entry));
}

function readEntry(folder: string, entry: Entry): readonly Case[] {
  const { name, file, profile, module: category = 'without module' } = entry;
  const shared = {
    category,
    file: join(folder, file),
    packages: [...(entry.packages ?? []), ...Object.values(entry['package-map'] ?? {})].map((one) => join(folder, one)),
  };
  const supporting = [...(entry.profiles ?? []), ...(entry.supporting ?? [])].map((one) => join(folder, one));
  const base = { ...shared, name, supporting, profile: undefined };
  const judged: Omit<Case, 'expected' | 'leftOut'>[] = [base];
  if (profile?.source !== undefined) {
    const isFile = existsSync(join(folder, profile.source));
    const own = (profile.supporting ?? []).map((one) => join(folder, one));
    const source = isFile ? join(folder, profile.source) : profile.source;
    const files = [...supporting, ...own, ...(isFile ? [source] : [])];
    judged.push({ ...shared, name: `${name} (profile)`, supporting: files, profile: source });
  }
  return judged.map((one, index) => {
    const expected = readOutcome(folder, index === 0 ? entry.java : profile?.java);
    return { ...one, expected: expected ?? [], leftOut: reasonToLeaveOut(entry, one, expected) };
  });
}

const otherKinds: Readonly<Record<string, string>> = {
  cda: 'a CDA document, judged by a logical model',
  cdshooks: 'a CDS Hooks message, judged by a logical model',
  shc: 'a SMART Health Card',
  logical: 'an instance of a logical model',
  json5: 'JSON 5',
  dsig: 'a digital signature',
  matchetype: 'a comparison of two resources',
  v2: 'an HL7 v2 message',
};

function reasonToLeaveOut(
  entry: Entry,
  { category, file, packages, supporting }: Omit<Case, 'expected' | 'leftOut'>,
  expected: readonly Finding[] | undefined,
): string | undefined {
  if (entry['use-test'] === false) return 'switched off in the manifest';
  if (otherKinds[category] !== undefined) return otherKinds[category];
  if (entry.logical !== undefined) return otherKinds['logical'];
  if (entry.matchetype !== undefined) return otherKinds['matchetype'];
  if (!/\.(?:json|xml)$/.test(entry.file)) return 'not a resource in JSON or XML';
  if (expected === undefined) return 'its outcome is not in the collection';
  if (packages.some((file) => !existsSync(file))) return 'a package that the collection does not bring';
  return [...supporting, file].some((one) => !existsSync(one))
    ? 'a file that the collection does not bring'
    : undefined;
}

interface Outcome {
  readonly issue?: readonly {
    readonly severity: string;
    readonly code: string;
    readonly details?: { readonly text?: string };
    readonly expression?: readonly string[];
  }[];
}

/** Given in the manifest (whole, or as a count), or in a file that it names. */
function readOutcome(folder: string, given: unknown): readonly Finding[] | undefined {
  const names = typeof given === 'string' ? [given, `${given}.json`] : [];
  const file = names.map((name) => join(folder, 'outcomes', name)).find((path) => existsSync(path));
  const inline = given as { readonly outcome?: Outcome; readonly errorCount?: number } | undefined;
  const outcome = file === undefined ? inline?.outcome : (readJson(file) as Outcome);
  if (outcome !== undefined) return (outcome.issue ?? []).map(readFinding);
  const count = file === undefined ? inline?.errorCount : undefined;
  const counted = { severity: 'error', code: '', text: 'told as a number', expression: '' };
  return count === undefined ? undefined : Array<Finding>(count).fill(counted);
}

function readFinding({ severity, code, details, expression }: NonNullable<Outcome['issue']>[number]): Finding {
  return { severity, code, text: details?.text ?? '', expression: expression?.[0] ?? '' };
}

export function isError({ severity }: { readonly severity: string }): boolean {
  return severity === 'error' || severity === 'fatal';
}

/**
 * Whether the HL7 validator's verdict rests on a terminology server: each of its errors is about a code or a display of a
 * system that neither R4 nor the case brings. A case about terminology in which it finds nothing is left out as well: to find
 * nothing there is no merit of ours.
 */
export function restsOnTerminology({ category, expected }: Case): boolean {
  const errors = expected.filter(isError);
  if (errors.length === 0) return category === 'tx' || category === 'tx-advanced';
  return errors.every(({ text }) => externalTerms.test(text));
}

const externalTerms =
  /^(?:Wrong Display Name .* for|Unknown code .* in the CodeSystem|The code .* is not valid in the system|The value .* Invalid ECL).*(?:snomed\.info|loinc\.org|sid\/cvx|rxnorm|nucc|parse error)/;

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
