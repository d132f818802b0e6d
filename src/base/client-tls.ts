/** What this server shows and trusts where it is a client of TLS: the files that the settings name. */
import { readFile } from 'node:fs/promises';

export interface ClientTls<Content> {
  /** Shown with `key`. */
  readonly cert?: Content;
  readonly key?: Content;
  /** Authorities (PEM) that alone are trusted; those of the system without. */
  readonly ca?: Content;
}

/** The content of each file that is named. Throws what reading throws. */
export async function readClientTls(
  files: {
    readonly [Name in keyof ClientTls<string>]: string | undefined;
  },
): Promise<ClientTls<Buffer>> {
  const named = Object.entries(files).flatMap(([name, file]) => (file === undefined ? [] : [{ name, file }]));
  const read = named.map(async ({ name, file }) => [name, await readFile(file)] as const);
  return Object.fromEntries(await Promise.all(read));
}
