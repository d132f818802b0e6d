/**
 * What expressions run instead of the library's own operators and functions, so that no result depends on the zone or
 * the clock of the process and nothing undecidable passes for false.
 *
 * Two dates compare as instants when both are, as texts when both are days. A day and an instant compare as in FHIR
 * search (https://hl7.org/fhir/R4/search.html#date): true when some moment of the day satisfies the comparison, so a
 * letter dated "12 March" counts as written after a discharge on that day. A month or year that contains the other side
 * decides nothing: that is an evaluation error, as is a date that does not exist.
 */
import fhirpath, { type UserInvocationTable } from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { Problem } from '../base/index.ts';
import { matchedCharactersMax } from './fhirpath-pattern.ts';
import { formatLocal, localDay, readTimeSpan, shiftDate, type TimeSpan, type TimeUnit } from './fhirpath-time.ts';

/** When and where an evaluation takes place. */
export interface Moment {
  readonly nowMs: number;
  readonly zone: string;
}

/** The variable that carries the moment; no expression can name it. */
export const momentVariable = '@moment';

/** The evaluation context that the library passes as `this`. */
interface Evaluation {
  readonly vars: { readonly [momentVariable]: Moment };
}

type Collection = readonly unknown[];

export const runtimeFunctions: UserInvocationTable = {
  _equal: operator((difference) => difference === 0),
  _unequal: operator((difference) => difference !== 0),
  _before: operator((difference) => difference < 0),
  _beforeOrAt: operator((difference) => difference <= 0),
  _after: operator((difference) => difference > 0),
  _afterOrAt: operator((difference) => difference >= 0),
};

export function failure(text: string): Problem {
  return new Problem('fault', text);
}
