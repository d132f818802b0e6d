/**
 * Statements that come again are prepared: for a search, planning costs PostgreSQL more than running. A statement without a
 * name gets one when its text has been sent a few times. The number of names is bounded, because every connection keeps the
 * plan of each until it closes: the first texts that prove frequent keep theirs.
 */
import { databaseLimits } from '../base/index.ts';
import type { Statement } from './database.ts';

export function createPreparer(): (statement: Statement) => Statement {
  const names = new Map<string, string>();
  let seen = new Map<string, number>();
  return (statement) => {
    const { name, text } = statement;
    if (name !== undefined) return statement;
    const known = names.get(text);
    if (known !== undefined) return { ...statement, name: known };
    if (names.size === databaseLimits.preparedTextsMax) return statement;
    const times = (seen.get(text) ?? 0) + 1;
    if (times < databaseLimits.preparedAfter) {
      if (seen.size === databaseLimits.textsCountedMax) seen = new Map();
      seen.set(text, times);
      return statement;
    }
    seen.delete(text);
    const made = `text-${names.size + 1}`;
    names.set(text, made);
    return { ...statement, name: made };
  };
}
