/** One setting: the variable that gives it, what it expects, and how its text is read. */
import { isIPv4 } from 'node:net';

export interface Setting<T> {
  readonly name: string;
  /** What the variable would say; undefined when unset is a value of its own, told by `sentence`. */
  readonly fallback: string | undefined;
  readonly sentence: string;
  readonly expected: string;
  /** undefined: not what is expected. */
  readonly read: (text: string) => T | undefined;
  /** Its value is never repeated. */
  readonly isSecret?: true;
}

export function text(expected: string) {
  return { expected, read: (value: string) => value };
}

export function yesOrNo() {
  const read = (value: string) => (value === 'true' ? true : value === 'false' ? false : undefined);
  return { expected: '`true` or `false`', read };
}

export function oneOf<const T extends string>(...values: readonly T[]) {
  return {
    expected: `one of ${values.join(', ')}`,
    read: (value: string) => values.find((each) => each === value),
  };
}

export function wholeNumber(min: number, max: number) {
  return {
    expected: `a whole number from ${min} to ${max}`,
    read: (value: string) => (/^\d{1,9}$/.test(value) && +value >= min && +value <= max ? +value : undefined),
  };
}

/** Values between commas. */
export function listOf(expected: string, readOne: (text: string) => string | undefined) {
  return {
    expected: `${expected}, between commas`,
    read: (value: string): readonly string[] | undefined => {
      const read = value.split(',').map((one) => readOne(one.trim()));
      return read.includes(undefined) ? undefined : read.filter((one) => one !== undefined);
    },
  };
}

export function url(...protocols: readonly string[]) {
  return {
    expected: `a URL with ${protocols.join(':// or ')}://`,
    read: (value: string) => {
      if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol.slice(0, -1))) return undefined;
      return value.replace(/\/+$/, '');
    },
  };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
