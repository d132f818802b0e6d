/** IHE XDM archives as senders make them, and as they must not be. */
import { createHash } from 'node:crypto';
import yazl from 'yazl';

export interface PackedDocument {
  readonly bytes: string | Uint8Array;
  readonly uri?: string;
  readonly hash?: string;
  readonly size?: number;
  readonly uniqueId?: string;
  readonly patientId?: string;
  readonly typeCode?: string;
  readonly mask?: string;
  readonly action?: 'C' | 'D';
}

const slot = (name: string, value: string | undefined) =>
  value === undefined ? '' : `<Slot name="${name}"><ValueList><Value>${value}</Value></ValueList></Slot>`;
const external = (scheme: string, value: string | undefined) =>
  value === undefined ? '' : `<ExternalIdentifier identificationScheme="urn:uuid:${scheme}" value="${value}"/>`;
const classified = (scheme: string, code: string | undefined, system: string) =>
  code === undefined
    ? ''
    : `<Classification classificationScheme="urn:uuid:${scheme}" nodeRepresentation="${code}">${slot('codingScheme', system)}</Classification>`;

export function metadataOf(documents: readonly PackedDocument[], more = ''): string {
  const objects = documents.map(({ bytes: source, uri, hash, size, ...said }, index) => {
    const bytes = Buffer.from(source);
    return `<ExtrinsicObject id="D${index}" mimeType="text/xml" objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">
      ${slot('URI', uri ?? `DOC000${index + 1}.XML`)}
      ${slot('hash', hash ?? createHash('sha1').update(bytes).digest('hex').toUpperCase())}
      ${slot('size', String(size ?? bytes.length))}${slot('urn:asip:action', said.action)}
      ${classified('f4f85eac-e6cb-4883-b524-f2705394840f', said.mask, '1.2.250.1.213.1.1.4.13')}
      ${classified('f0306f51-975f-434e-a61c-c59651d33983', said.typeCode, '2.16.840.1.113883.6.1')}
      ${external('2e82c1f6-a085-4c72-9da3-8640a32e42ab', said.uniqueId)}
      ${external('58a6f841-87b3-4a3e-92fd-a8ffeff98427', said.patientId?.replaceAll('&', '&amp;'))}
    </ExtrinsicObject>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">
  <RegistryObjectList>
    ${objects.join('\n')}
    <RegistryPackage id="SS"><Classification classifiedObject="SS" classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/></RegistryPackage>${more}
  </RegistryObjectList>
</lcm:SubmitObjectsRequest>`;
}

export type Entries = readonly (readonly [name: string, content: string | Uint8Array, mode?: number])[];

export function zipOf(entries: Entries, compress = true): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  for (const [name, content, mode] of entries) {
    const options = { mtime: new Date('2026-03-02T12:00:00Z'), compress, ...(mode === undefined ? {} : { mode }) };
    zip.addBuffer(Buffer.from(content), name, options);
  }
  zip.end();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    zip.outputStream.on('data', (chunk: Buffer) => chunks.push(chunk));
    zip.outputStream.on('end', () => resolve(Buffer.concat(chunks)));
    zip.outputStream.on('error', reject);
  });
}

/** An archive of the usual form; `rename` changes the names of its entries. */
export function xdmOf(documents: readonly PackedDocument[], rename = (name: string) => name): Promise<Buffer> {
  const own = documents.map(({ bytes }, index) => [rename(`IHE_XDM/SUBSET01/DOC000${index + 1}.XML`), bytes] as const);
  return zipOf([
    [rename('README.TXT'), 'Centre hospitalier du Val d’Arzon'],
    [rename('INDEX.HTM'), '<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>'],
    [rename('IHE_XDM/SUBSET01/METADATA.XML'), metadataOf(documents)],
    ...own,
  ]);
}

/** Overwrites every (or one) place of some bytes by others of the same length: an archive that contradicts itself. */
export function patched(archive: Buffer, find: string, by: string, which: 'first' | 'last' | 'all' = 'all'): Buffer {
  const [from, to] = [Buffer.from(find, 'latin1'), Buffer.from(by, 'latin1')];
  if (from.length !== to.length) throw new Error('patches keep the length');
  const copy = Buffer.from(archive);
  const places: number[] = [];
  for (let at = copy.indexOf(from); at >= 0; at = copy.indexOf(from, at + 1)) places.push(at);
  if (places.length === 0) throw new Error(`nothing to patch: ${find}`);
  const chosen = which === 'all' ? places : which === 'first' ? places.slice(0, 1) : places.slice(-1);
  for (const at of chosen) to.copy(copy, at);
  return copy;
}
