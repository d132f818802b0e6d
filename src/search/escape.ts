/** Separators inside values and how they are escaped (https://hl7.org/fhir/R4/search.html#escaping): `\,` `\|` `\$` `\\`. */

/** Parts between unescaped separators, still escaped. */
export function splitEscaped(text: string, separator: ',' | '|' | '$'): readonly string[] {
  if (!text.includes(separator)) return [text];
  const parts: string[] = [];
  let start = 0;
  for (let place = 0; place < text.length; place++) {
    const sign = text[place];
    if (sign === '\\') place++;
    else if (sign === separator) {
      parts.push(text.slice(start, place));
      start = place + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

export function unescapeValue(text: string): string {
  return text.includes('\\') ? text.replace(/\\([\\,|$])/g, '$1') : text;
}
