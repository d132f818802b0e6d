/** JSON text indented for people (`_pretty`), by its characters alone: numbers keep their digits. */

/** `text` is valid JSON. */
export function prettyJson(text: string): string {
  const parts: string[] = [];
  let depth = 0;
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|\{\s*\}|\[\s*\]|[{}[\],:]|[^\s"{}[\],:]+/gs;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [mark] = found;
    if (mark === '}' || mark === ']') depth--;
    const line = `\n${'  '.repeat(depth + (mark === '{' || mark === '[' ? 1 : 0))}`;
    parts.push(indented(mark, line));
    if (mark === '{' || mark === '[') depth++;
  }
  return parts.join('');
}

function indented(mark: string, line: string): string {
  switch (mark) {
    case '{':
    case '[':
    case ',':
      return mark + line;
    case '}':
    case ']':
      return line + mark;
    case ':':
      return ': ';
    default:
      return mark;
  }
}
