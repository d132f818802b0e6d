/** Access as the rest of the server uses it: a caller becomes a condition, at the instant at which it is asked. */
import type { Caller } from './caller.ts';
import { namesOf, type Visible, type VisibleSetting, visibleTo } from './visible.sql.ts';

export interface Access {
  /** What the caller may see now, or what his scopes for writing reach (`letters`). */
  visibleTo(caller: Caller, letters?: string): Visible;
  /** `rpps|number`, `finess|number`: what the store finds his references by. */
  namesOf(caller: Caller): readonly string[];
}

export interface AccessInput extends Pick<VisibleSetting, 'constraint' | 'graceMs'> {
  readonly now: () => number;
}

export function createAccess({ now, ...setting }: AccessInput): Access {
  return {
    visibleTo: (caller, letters = 'rs') => visibleTo(caller, { ...setting, nowMs: now(), letters }),
    namesOf,
  };
}
