/**
 * The quick way to run an expression: closures over the plain record, for the part of the language that rules live on.
 * The library takes 30 to 500 microseconds for an expression of a rule; thirty-eight rules on each change of a patient
 * need it ten times faster. Whatever is not here (arithmetic, quantities, rarer functions) is left to the library: then
 * `compileQuick` answers undefined, and the caller runs that. A test holds both against each other on random records.
 */
import type { Definitions } from './definitions.ts';
import { kindOf } from './fhirpath-functions.ts';
import { quickFunctions } from './fhirpath-quick-functions.ts';
import {
  type Frame,
  isTrue,
  type Item,
  type Items,
  none,
  onlyText,
  type Quick,
  readKinds,
  truth,
} from './fhirpath-quick-items.ts';
import { type SyntaxNode, unquote } from './fhirpath-syntax.ts';
import { isA, type Shape } from './fhirpath-types.ts';
import {
  comparisons,
  differentTypes,
  failure,
  moveDate,
  oneValueExpected,
  orderOfDates,
  orderOfPlain,
  readDate,
  severalValues,
} from './fhirpath-values.ts';

export interface QuickContext {
  readonly definitions: Definitions;
  /** What each node yields, as the check found it. */
  readonly shapes: ReadonlyMap<SyntaxNode, Shape>;
}
