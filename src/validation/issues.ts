/**
 * Faults made into issues: where, as FHIRPath; what was found and what was expected, in words (`texts.ts`).
 */
import type { Issue } from '../base/index.ts';
import type { Definitions } from '../fhir/index.ts';
import type { ProfileFault } from './profiles/run.ts';
import { type Fault, faultsMax } from './runtime.ts';
import { findSpot } from './spot.ts';
import { describe } from './texts.ts';

export function makeIssues(definitions: Definitions, resource: unknown, faults: readonly Fault[]): readonly Issue[] {
  return faults.slice(0, faultsMax).map((fault) => {
    const spot = findSpot(definitions, resource, fault.instancePath);
    const [code, text, french] = describe(definitions, fault, spot);
    return { severity: 'error', code, text, french, expression: spot.expression };
  });
}

export function makeProfileIssues(
  definitions: Definitions,
  resource: unknown,
  faults: readonly ProfileFault[],
): readonly Issue[] {
  return faults.map(({ pointer, ...fault }) => {
    const { expression } = findSpot(definitions, resource, pointer);
    return { ...fault, expression };
  });
}

export const thereMayBeMore: Issue = {
  severity: 'information',
  code: 'informational',
  text: `more than ${faultsMax} faults were found: the others are not listed`,
  french: `plus de ${faultsMax} anomalies trouvées : les autres ne sont pas listées`,
};
