/**
 * Data of Binaries, from bytes into the text of the resource. A small one becomes part of the text here. A large one goes into
 * the database in pieces (migrations/0058), and only there becomes one text: as base64, as JSON, as parameter and as message of
 * the driver it would stand in memory five times over.
 */
import { bufferOf } from '../base/index.ts';
import type { Queryable } from '../db/index.ts';
import type { Resource } from '../fhir/index.ts';
import type { ReadyEntry, WriteEntry } from './entry.ts';

/** Bytes of a content that is staged when there are more. */
const inlineMax = 128 * 1024;

const pieceBytes = 256 * 1024;

export function isStaged({ content }: WriteEntry): boolean {
  return content !== undefined && content.length > inlineMax;
}

/** The resource as it is put into text here. */
export function withInlineContent(entry: WriteEntry, resource: Resource): Resource {
  const { content } = entry;
  return content === undefined || isStaged(entry)
    ? resource
    : { ...resource, data: bufferOf(content).toString('base64') };
}

/** The pieces of all that is staged; answers whether there are any. */
export async function stageContents(tx: Queryable, entries: readonly ReadyEntry[]): Promise<boolean> {
  const staged = entries.flatMap(({ entry }, place) =>
    isStaged(entry) ? [{ place: place + 1, content: entry.content ?? new Uint8Array() }] : [],
  );
  for (const { place, content } of staged) {
    for (let from = 0; from < content.length; from += pieceBytes) {
      const piece = content.subarray(from, from + pieceBytes);
      await tx.query({
        name: 'stage-content',
        text: 'insert into staged_content (place, part, bytes) values ($1, $2, $3)',
        values: [place, from / pieceBytes, bufferOf(piece)],
      });
    }
  }
  return staged.length > 0;
}
