/** placeholder */
export type Check = (data: never) => boolean;
export const invariants: ReadonlyMap<string, Check> = new Map();
