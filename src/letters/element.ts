/** The value without members that are undefined or empty arrays: FHIR knows neither. */
export function element<T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T {
  const kept = Object.entries(members).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(kept) as T;
}
