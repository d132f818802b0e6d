/** Makes the .tgz of a package, proper or not. */
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';

export type Files = Readonly<Record<string, unknown>>;

export const manifest = {
  name: 'fr.example.guide',
  version: '1.2.0',
  canonical: 'https://guide.example/fhir',
  title: 'Guide',
  fhirVersions: ['4.0.1'],
  dependencies: { 'hl7.fhir.r4.core': '4.0.1' },
};

/** Objects are written as JSON, texts as they are. */
export async function makeTarball(files: Files, headers: Partial<Header> = {}): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files))
    tar.entry(
      { name, mtime: new Date(0), ...headers },
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  tar.finalize();
  const parts: Buffer[] = [];
  for await (const part of tar) parts.push(part as Buffer);
  return gzipSync(Buffer.concat(parts));
}

export function guide(definitions: readonly object[], changes: object = {}): Files {
  const entries = definitions.map((one, index) => [`package/definition-${index}.json`, one] as const);
  return { 'package/package.json': { ...manifest, ...changes }, ...Object.fromEntries(entries) };
}

export const colours = (version: string, ...codes: readonly string[]) => ({
  resourceType: 'CodeSystem',
  url: 'https://guide.example/fhir/CodeSystem/colours',
  version,
  status: 'active',
  content: 'complete',
  concept: codes.map((code) => ({ code })),
});
