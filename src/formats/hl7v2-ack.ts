/**
 * The answer to an HL7 v2 message (original acknowledgement mode, HL7 2.5 chapter 2.9.2; ANS "Transmission d'un document CDA R2
 * en HL7v2", acquittements): AA taken; AE refused for what it says, to be sent again only when corrected; AR refused for
 * circumstances, may be sent again. What is repeated of the message is escaped, so that nothing in it can end a frame.
 */
import { type Hl7Message, valueOf } from './hl7v2.ts';

/** HL7 table 0357, and the application's own code (ERR-5) where that is 207. */
export interface Hl7Error {
  readonly code: '100' | '101' | '200' | '201' | '204' | '205' | '207';
  readonly text: string;
  /** `OBX-5`. */
  readonly place?: string;
  /** 900 to 906. */
  readonly application?: string;
}

export interface Acknowledgement {
  readonly code: 'AA' | 'AE' | 'AR';
  readonly errors: readonly Hl7Error[];
  /** MSH-10 of the answer. */
  readonly controlId: string;
  /** HL7 time. */
  readonly at: string;
}

const meanings: Readonly<Record<Hl7Error['code'], string>> = {
  '100': 'Segment sequence error',
  '101': 'Required field missing',
  '200': 'Unsupported message type',
  '201': 'Unsupported event code',
  '204': 'Unknown key identifier',
  '205': 'Duplicate key identifier',
  '207': 'Application internal error',
};

const errorsMax = 20;

/** `message`: undefined when not even its header could be read. */
export function acknowledge(message: Hl7Message | undefined, answer: Acknowledgement): string {
  const header = message?.segments[0];
  const of = (field: number, component = 1) =>
    message === undefined ? '' : clean(valueOf(message, header, field, component));
  const event = of(9, 2);
  const type = event === '' ? 'ACK' : `ACK^${event}^ACK`;
  const [id, processing] = [clean(answer.controlId), of(11) || 'P'];
  const version = of(12) || '2.5';
  return `${[
    `MSH|^~\\&|${of(5)}|${of(6)}|${of(3)}|${of(4)}|${answer.at}||${type}|${id}|${processing}|${version}|||||FRA|UNICODE UTF-8`,
    `MSA|${answer.code}|${of(10)}`,
    ...answer.errors.slice(0, errorsMax).map(errorSegment),
  ].join('\r')}\r`;
}

function errorSegment({ code, text, place, application }: Hl7Error): string {
  const [segment = '', field = ''] = place?.split('-') ?? [];
  const location = /^[A-Z][A-Z0-9]{2}$/.test(segment)
    ? [segment, '1', ...(/^\d+$/.test(field) ? [field] : [])].join('^')
    : '';
  const own = application === undefined ? '' : `${application}^${clean(text)}^applicationErrorCondition`;
  return `ERR||${location}|${code}^${meanings[code]}^HL70357|E|${own}|||${clean(text)}`;
}

const lengthMax = 200;

/** Delimiters by their escapes, controls by nothing. */
function clean(text: string): string {
  return escapeHl7(text.slice(0, lengthMax).replace(/\p{C}+/gu, ' '));
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\E\\',
  '|': '\\F\\',
  '^': '\\S\\',
  '&': '\\T\\',
  '~': '\\R\\',
};

/** The usual delimiters by their escapes (HL7 2.5 chapter 2.7). */
export function escapeHl7(text: string): string {
  return text.replace(/[\\|^&~]/g, (char) => escapes[char] ?? char);
}
