/**
 * HL7 v2 in its er7 form: bytes -> segments of fields, or the reason why not. Delimiters are read from MSH and used as plain
 * characters, never in a pattern; real files have LF between segments, and `Ë` where `~` stood. Fields stay raw until asked for.
 * Work is linear in the length of the message.
 */
import { isUtf8 } from 'node:buffer';
import { hl7Limits, type Issue } from '../base/index.ts';

export interface Hl7Limits {
  readonly bytesMax: number;
  readonly segmentsMax: number;
  readonly fieldsMax: number;
}

interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
}

export interface Hl7Segment {
  readonly name: string;
  /** `fields[n]` is the field of that number in the standard, MSH too. */
  readonly fields: readonly string[];
}

export interface Hl7Message {
  readonly segments: readonly Hl7Segment[];
  readonly delimiters: Delimiters;
}

export type Hl7Result =
  | { readonly kind: 'message'; readonly message: Hl7Message }
  | { readonly kind: 'refused'; readonly issue: Issue };

export function parseHl7(bytes: Uint8Array, limits: Hl7Limits = hl7Limits): Hl7Result {
  if (bytes.length > limits.bytesMax) return refused('too-costly', `message de plus de ${limits.bytesMax} octets`);
  const text = decode(unframed(bytes));
  if (text === undefined)
    return refused(
      'structure',
      'le jeu de caractères (MSH-18) n’est pas admis, ou des octets n’y sont pas valides',
      'MSH-18',
    );
  const delimiters = readDelimiters(text);
  if (delimiters === undefined) return refused('structure', 'MSH ne donne pas quatre délimiteurs distincts', 'MSH-2');
  const lines = text.split(/[\r\n]+/, limits.segmentsMax + 1).filter((line) => line !== '');
  if (lines.length > limits.segmentsMax) return refused('too-costly', `plus de ${limits.segmentsMax} segments`);
  return readSegments(lines, { delimiters, fieldsMax: limits.fieldsMax });
}

function readSegments(
  lines: readonly string[],
  { delimiters, fieldsMax }: { readonly delimiters: Delimiters; readonly fieldsMax: number },
): Hl7Result {
  const separator = delimiters.field;
  const segments: Hl7Segment[] = [];
  for (const line of lines) {
    const fields = line.split(separator, fieldsMax + 1);
    const [name = ''] = fields;
    if (fields.length > fieldsMax) return refused('too-costly', `plus de ${fieldsMax} champs`);
    if (!/^[A-Z][A-Z0-9]{2}$/.test(name)) return refused('structure', 'segment dont le nom n’a pas trois caractères');
    const isHeader = segments.length === 0;
    if (isHeader !== (name === 'MSH'))
      return refused('structure', 'un message a un MSH, et c’est son premier segment', 'MSH');
    segments.push({ name, fields: isHeader ? [name, separator, ...fields.slice(1)] : fields });
  }
  return { kind: 'message', message: { segments, delimiters } };
}

function refused(code: string, text: string, expression?: string): Hl7Result {
  return { kind: 'refused', issue: { severity: 'error', code, text, ...(expression && { expression }) } };
}

/** Without the frame of MLLP, in which files are found too. */
function unframed(bytes: Uint8Array): Uint8Array {
  const start = bytes[0] === 0x0b ? 1 : 0;
  let end = bytes.length;
  while (end > start && [0x0a, 0x0d, 0x1c].includes(bytes[end - 1] ?? 0)) end--;
  return bytes.subarray(start, end);
}

const charsets: ReadonlyMap<string, string> = new Map([
  ['', 'utf-8'],
  ['ASCII', 'utf-8'],
  ['UTF-8', 'utf-8'],
  ['UNICODE', 'utf-8'],
  ['UNICODE UTF-8', 'utf-8'],
  ['8859/1', 'iso-8859-1'],
  ['8859/15', 'iso-8859-15'],
]);

/** By MSH-18, which is ASCII in all of them; the first repetition counts. */
function decode(bytes: Uint8Array): string | undefined {
  const start =
    Buffer.from(bytes.subarray(0, 2000))
      .toString('latin1')
      .split(/[\r\n]/, 1)[0] ?? '';
  const declared = start.split(start[3] ?? '|')[17] ?? '';
  const charset = charsets.get((declared.split(/[^A-Za-z0-9/ -]/, 1)[0] ?? '').trim().toUpperCase());
  if (charset === undefined) return undefined;
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function readDelimiters(text: string): Delimiters | undefined {
  const separator = text[3] ?? '';
  const [component = '', repetition = '', escape = '', subcomponent = ''] = [...text.slice(4, 8)];
  const all = [separator, component, repetition, escape, subcomponent];
  const isUsable = all.every((one) => /^[^A-Za-z0-9\s\p{C}]$/u.test(one));
  if (!text.startsWith('MSH') || !isUsable || new Set(all).size < all.length) return undefined;
  const hasMore = text[8] !== undefined && text[8] !== separator;
  if (hasMore && text[9] !== separator) return undefined;
  return { field: separator, component, repetition, escape, subcomponent };
}

/** The header alone of a message that cannot be read, so that the refusal can name it; its letters may be wrong. */
export function readHeader(bytes: Uint8Array): Hl7Message | undefined {
  const text = Buffer.from(unframed(bytes.subarray(0, headerBytesMax))).toString('latin1');
  const line = text.split(/[\r\n]/, 1)[0] ?? '';
  const fields = line.split(line[3] ?? '|');
  const plain = [...fields.slice(0, 17), '', ...fields.slice(18)].join(line[3] ?? '|');
  const parsed = parseHl7(Buffer.from(plain, 'utf8'));
  return parsed.kind === 'message' ? parsed.message : undefined;
}

const headerBytesMax = 2000;

export function segmentsOf({ segments }: Hl7Message, name: string): readonly Hl7Segment[] {
  return segments.filter((segment) => segment.name === name);
}

export function repetitionsOf({ delimiters }: Hl7Message, segment: Hl7Segment | undefined, field: number): string[] {
  const raw = segment?.fields[field] ?? '';
  return raw === '' ? [] : raw.split(delimiters.repetition);
}

/** One component (from 1) of a repetition, and of it one subcomponent (from 1), escapes resolved; '' when absent or emptied (`""`). */
export function componentOf({ delimiters }: Hl7Message, repetition: string, component: number, part?: number): string {
  const raw = repetition.split(delimiters.component, component)[component - 1] ?? '';
  const chosen = part === undefined ? raw : (raw.split(delimiters.subcomponent, part)[part - 1] ?? '');
  const text = unescape(chosen, delimiters).trim();
  return text === emptied ? '' : text;
}

/** HL7 2.5 chapter 2.5.3: what stands there shall be there no more; an empty field says nothing of it. */
const emptied = '""';

export function isEmptied({ delimiters }: Hl7Message, segment: Hl7Segment | undefined, field: number): boolean {
  const [first = ''] = (segment?.fields[field] ?? '').split(delimiters.component, 1);
  return first.trim() === emptied;
}

/** First repetition of a field. */
export function valueOf(message: Hl7Message, segment: Hl7Segment | undefined, field: number, component = 1): string {
  const [first = ''] = repetitionsOf(message, segment, field);
  return componentOf(message, first, component);
}

/** Escapes give data, whatever characters these are; one that is not closed or not known stays as it is. */
function unescape(text: string, delimiters: Delimiters): string {
  const { escape } = delimiters;
  if (!text.includes(escape)) return text;
  const parts = text.split(escape);
  let out = parts[0] ?? '';
  for (let at = 1; at < parts.length; at++) {
    const meant = at + 1 < parts.length ? meaningOf(parts[at] ?? '', delimiters) : undefined;
    if (meant === undefined) out += escape + (parts[at] ?? '');
    else {
      out += meant + (parts[at + 1] ?? '');
      at++;
    }
  }
  return out;
}

/** Bytes in the letters of the message (MSH-18): those that are not UTF-8 are of the other one in use. */
function textOf(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}

function meaningOf(sequence: string, delimiters: Delimiters): string | undefined {
  if (/^X(?:[0-9A-Fa-f]{2})+$/.test(sequence)) return textOf(Buffer.from(sequence.slice(1), 'hex'));
  switch (sequence) {
    case 'F':
      return delimiters.field;
    case 'S':
      return delimiters.component;
    case 'T':
      return delimiters.subcomponent;
    case 'R':
      return delimiters.repetition;
    case 'E':
      return delimiters.escape;
    case '.br':
      return '\n';
    case 'H':
    case 'N':
      return '';
    default:
      return undefined;
  }
}
