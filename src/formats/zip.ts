/**
 * The one entry for zip files from outside: bytes -> entries in memory, or the reason why not. Nothing is written anywhere and no
 * name is ever used as a path. An archive is taken whole or not at all: names that climb, names twice, links and devices,
 * encryption, unknown methods, wrong sums, headers that contradict each other, overlaps and bombs refuse it.
 */
import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import { type Issue, Problem, zipLimits } from '../base/index.ts';

export interface ZipLimits {
  readonly bytesMax: number;
  readonly entriesMax: number;
  /** Of all entries, unpacked. */
  readonly unpackedMax: number;
  /** Unpacked against packed size of one entry. */
  readonly ratioMax: number;
}

export interface ZipEntry {
  /** With `/` between its parts, whatever the archive has. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export type ZipResult =
  | { readonly kind: 'entries'; readonly entries: readonly ZipEntry[] }
  | { readonly kind: 'refused'; readonly issue: Issue };

/** Small entries may well repeat themselves; a bomb is never small. */
const ratioFreeBytes = 100_000;

export async function readZip(bytes: Uint8Array, limits: ZipLimits = zipLimits): Promise<ZipResult> {
  const refused = (code: string, text: string): ZipResult => ({
    kind: 'refused',
    issue: { severity: 'error', code, text },
  });
  if (bytes.length > limits.bytesMax) return refused('too-costly', `archive de plus de ${limits.bytesMax} octets`);
  try {
    return { kind: 'entries', entries: await readAll(Buffer.from(bytes), limits) };
  } catch (error) {
    const issue = error instanceof Problem ? error.issues[0] : undefined;
    if (issue !== undefined) return { kind: 'refused', issue };
    // The library's own words may hold names from the archive.
    return refused('structure', 'archive zip illisible ou contradictoire');
  }
}

function refusal(code: string, text: string): Problem {
  return new Problem('unprocessable', text, { issues: [{ severity: 'error', code, text }] });
}

async function readAll(buffer: Buffer, limits: ZipLimits): Promise<readonly ZipEntry[]> {
  const zip = await yauzl.fromBufferPromise(buffer, { validateEntrySizes: true, strictFileNames: false });
  if (zip.entryCount > limits.entriesMax) throw refusal('too-costly', `plus de ${limits.entriesMax} entrées`);
  const listed: yauzl.Entry[] = [];
  for await (const entry of zip.eachEntry()) {
    if (listed.length >= limits.entriesMax) throw refusal('too-costly', `plus de ${limits.entriesMax} entrées`);
    listed.push(entry);
  }
  if (listed.length !== zip.entryCount) throw refusal('structure', 'le nombre d’entrées annoncé est faux');
  for (const entry of listed) checkEntry(entry);
  const names = listed.map(({ fileName }) => fileName.toLowerCase());
  if (new Set(names).size < names.length) throw refusal('structure', 'deux entrées de même nom');
  checkSizes(listed, limits);
  await checkPlaces(zip, listed);
  const entries: ZipEntry[] = [];
  for (const entry of listed) {
    if (!entry.fileName.endsWith('/')) entries.push({ name: entry.fileName, bytes: await unpack(zip, entry) });
  }
  return entries;
}

const unixHosts: ReadonlySet<number> = new Set([3, 19]);

function checkEntry(entry: yauzl.Entry): void {
  const { fileName, generalPurposeBitFlag, compressionMethod, externalFileAttributes, versionMadeBy } = entry;
  if (/[\u0000-\u001f:]|(?:^|\/)\.\.(?:\/|$)|^\//.test(fileName)) throw refusal('structure', 'nom d’entrée interdit');
  if ((generalPurposeBitFlag & 0x41) !== 0) throw refusal('not-supported', 'entrée chiffrée');
  if (compressionMethod !== 0 && compressionMethod !== 8) throw refusal('not-supported', 'compression inconnue');
  const mode = unixHosts.has(versionMadeBy >>> 8) ? externalFileAttributes >>> 16 : 0;
  const isPlain = [0, 0o100000, 0o040000].includes(mode & 0o170000);
  if (!isPlain || (mode & 0o7000) !== 0) throw refusal('structure', 'entrée qui n’est ni fichier ni dossier');
}

function checkSizes(entries: readonly yauzl.Entry[], limits: ZipLimits): void {
  const total = entries.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
  if (total > limits.unpackedMax) throw refusal('too-costly', `plus de ${limits.unpackedMax} octets déployés`);
  for (const { uncompressedSize, compressedSize } of entries) {
    const isBomb = uncompressedSize > ratioFreeBytes && uncompressedSize > limits.ratioMax * compressedSize;
    if (isBomb) throw refusal('too-costly', `entrée comprimée plus de ${limits.ratioMax} fois`);
  }
}

/** Local headers that say another name, entries that share bytes, bytes before the first: somebody reads another archive. */
async function checkPlaces(zip: yauzl.ZipFile, entries: readonly yauzl.Entry[]): Promise<void> {
  let end = 0;
  const inOrder = [...entries].sort(
    (one, other) => one.relativeOffsetOfLocalHeader - other.relativeOffsetOfLocalHeader,
  );
  for (const entry of inOrder) {
    const start = entry.relativeOffsetOfLocalHeader;
    const local = await zip.readLocalFileHeaderPromise(entry, { minimal: false });
    const isSame = local.fileName.equals(entry.fileNameRaw);
    if (!isSame) throw refusal('structure', 'deux en-têtes donnent à une entrée des noms différents');
    if (start < end || (end === 0 && start !== 0)) throw refusal('structure', 'des entrées se recouvrent');
    end = local.fileDataStart + entry.compressedSize;
  }
}

async function unpack(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Uint8Array> {
  const stream = await zip.openReadStreamPromise(entry);
  const chunks: Buffer[] = [];
  // The library ends the stream with an error at the first byte beyond the declared size.
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  if (bytes.length !== entry.uncompressedSize) throw refusal('structure', 'taille d’une entrée fausse');
  if (crc32(bytes) !== entry.crc32) throw refusal('structure', 'somme de contrôle d’une entrée fausse');
  return bytes;
}
