/** OperationOutcome from issues (https://hl7.org/fhir/R4/operationoutcome.html). */
import type { Issue } from '../base/index.ts';
import type { Resource } from './resource.ts';

export function toOperationOutcome(issues: readonly Issue[]): Resource {
  return {
    resourceType: 'OperationOutcome',
    issue: issues.map((issue) => ({
      severity: issue.severity,
      code: issue.code,
      details: { text: issue.text },
      ...(issue.diagnostics === undefined ? {} : { diagnostics: issue.diagnostics }),
      ...(issue.expression === undefined ? {} : { expression: [issue.expression] }),
    })),
  };
}
