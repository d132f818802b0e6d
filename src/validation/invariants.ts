/** placeholder */
export const invariants: ReadonlyMap<string, (data: never) => boolean> = new Map();
