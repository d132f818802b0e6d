/** OperationOutcome from issues (https://hl7.org/fhir/R4/operationoutcome.html). */
import type { Issue } from '../base/index.ts';
import type { Resource } from './resource.ts';

export function toOperationOutcome(issues: readonly Issue[]): Resource {
  return {
    resourceType: 'OperationOutcome',
    issue: issues.map((issue) => ({
      severity: issue.severity,
      code: issue.code,
      details: {
        text: issue.text,
        ...(issue.french === undefined ? {} : { _text: { extension: [translation('fr', issue.french)] } }),
      },
      ...(issue.diagnostics === undefined ? {} : { diagnostics: issue.diagnostics }),
      ...(issue.expression === undefined ? {} : { expression: [issue.expression] }),
    })),
  };
}

/** https://hl7.org/fhir/R4/extension-translation.html */
function translation(lang: string, content: string): object {
  return {
    url: 'http://hl7.org/fhir/StructureDefinition/translation',
    extension: [
      { url: 'lang', valueCode: lang },
      { url: 'content', valueString: content },
    ],
  };
}
