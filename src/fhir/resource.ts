/** A FHIR resource as parsed from JSON: plain data, never a class. Typed views come from `@types/fhir` where a shape is known. */
export interface Resource {
  readonly resourceType: string;
  readonly id?: string;
  readonly meta?: {
    readonly versionId?: string;
    readonly lastUpdated?: string;
    readonly source?: string;
    readonly profile?: readonly string[];
    readonly security?: readonly { readonly system?: string; readonly code?: string }[];
    readonly tag?: readonly { readonly system?: string; readonly code?: string }[];
  };
  readonly [element: string]: unknown;
}

/** An object of JSON by its members. */
export type Members = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
