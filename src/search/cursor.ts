/**
 * The page link's key as a client carries it: encrypted and authenticated (AES-256-GCM), because it holds sort values,
 * which may be names or dates of birth, and because a forged one must not choose where a page begins.
 *
 * It is bound to the query and the caller: with another query, or in another's hands, it is refused. The nonce is derived
 * from what is encrypted, so no randomness is needed and the same page has the same link.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { Problem } from '../base/index.ts';
import type { Position } from './page.ts';
import type { Search } from './tree.ts';

const nonceBytes = 12;
const tagBytes = 16;

export function encodeCursor(secret: Uint8Array, binding: string, position: Position): string {
  const plain = JSON.stringify([position.order, position.values, position.rid, position.type, position.id]);
  const nonce = derive(secret, 'nonce', `${binding}\n${plain}`).subarray(0, nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', derive(secret, 'key', ''), nonce).setAAD(Buffer.from(binding));
  const encrypted = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64url');
}

/** Throws `incorrect` when the text is no cursor of this secret and binding. */
export function decodeCursor(secret: Uint8Array, binding: string, text: string): Position {
  const bytes = Buffer.from(text, 'base64url');
  const nonce = bytes.subarray(0, nonceBytes);
  const tag = bytes.subarray(nonceBytes, nonceBytes + tagBytes);
  if (tag.length < tagBytes) throw foreignCursor();
  const decipher = createDecipheriv('aes-256-gcm', derive(secret, 'key', ''), nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(binding)).setAuthTag(tag);
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString(
      'utf8',
    );
    const [order, values, rid, type, id] = JSON.parse(plain) as [string, Position['values'], string, string, string];
    return { order, values, rid, type, id };
  } catch {
    throw foreignCursor();
  }
}

function foreignCursor(): Problem {
  return new Problem('incorrect', 'parameter _cursor: it is no page link of this server for this query');
}

function derive(secret: Uint8Array, purpose: string, text: string): Buffer {
  return createHmac('sha256', secret).update(`search-cursor ${purpose}\n${text}`).digest();
}

const notBinding: ReadonlySet<string> = new Set(['_cursor', '_count', '_total', '_summary', '_elements']);

/** What a cursor is bound to: the query without the size and form of its pages, and who asks. */
export function cursorBinding(search: Search, caller: string): string {
  const bound = search.accepted.filter(([name]) => !notBinding.has(name) && !/^_(?:rev)?include/.test(name));
  const compartment = search.criteria.flatMap((criterion) => (criterion.kind === 'compartment' ? [criterion.of] : []));
  return JSON.stringify([caller, search.types.join(), compartment, bound]);
}

/** The query of the self link, or with a cursor of the next one. */
export function formatQuery(search: Search, cursor?: string): string {
  const query = new URLSearchParams();
  for (const [name, value] of search.accepted) if (name !== '_cursor') query.append(name, value);
  if (cursor !== undefined) query.set('_cursor', cursor);
  return query.toString();
}
