/** A body as a resource that may be written. */
import { Problem } from '../base/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { Context } from './context.ts';

/**
 * The body as a valid resource of the type in the URL; every fault is named. Throws `incorrect`, or `unprocessable` where
 * base R4 allows what a profile does not.
 */
export async function requireResource(context: Context, type: string, body: unknown): Promise<Resource> {
  const issues = await context.validate(body, type);
  const faults = issues.filter(({ severity }) => severity === 'error' || severity === 'fatal');
  const [first] = faults;
  if (first === undefined) return body as Resource;
  const category = faults.every(({ profile }) => profile !== undefined) ? 'unprocessable' : 'incorrect';
  throw new Problem(category, first.text, { issues: faults });
}

/** The body of an update: its id must be the one in the URL (https://hl7.org/fhir/R4/http.html#update). */
export function requireSameId(resource: Resource, id: string): void {
  if (resource.id === id) return;
  const found = resource.id === undefined ? 'found none' : 'found another';
  const text = `the id in the resource must be the id in the URL: ${found}`;
  throw new Problem('incorrect', text, {
    issues: [{ severity: 'error', code: 'invalid', text, expression: `${resource.resourceType}.id` }],
  });
}
