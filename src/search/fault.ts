/** Refusals name the parameter, never its value: values may be patient data, and so may be a name that no client should send. */
import { Problem } from '../base/index.ts';

const speakable = /^[\w:.\-*]{1,100}$/;

export function speak(name: string): string {
  return speakable.test(name) ? `parameter ${name}` : 'a parameter';
}

export function incorrect(name: string, text: string): Problem {
  return new Problem('incorrect', `${speak(name)}: ${text}`);
}

export function unsupported(name: string, text: string): Problem {
  return new Problem('unsupported-parameter', `${speak(name)}: ${text}`);
}

export function tooCostly(name: string, text: string): Problem {
  return new Problem('too-costly', `${speak(name)}: ${text}`);
}

const buildingRetryMs = 5000;

/** Not an empty answer, and not half of one. */
export function building(name: string): Problem {
  return new Problem('unavailable', `${speak(name)}: what was stored before it is still being indexed`, {
    retryAfterMs: buildingRetryMs,
  });
}
