/**
 * XML text from names and values, the way out beside `xml.ts`. What XML 1.0 cannot hold (control characters, lone surrogates)
 * becomes U+FFFD: a name with a NUL in it must not break the document that carries it.
 */
export type XmlAttributes = Readonly<Record<string, string | undefined>>;

/** Texts are escaped already: made by `tag` or `escapeXml`. */
export function tag(name: string, attributes: XmlAttributes, ...content: readonly string[]): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${escapeXml(value)}"`],
  );
  const inside = content.join('');
  return inside === '' ? `<${name}${written.join('')}/>` : `<${name}${written.join('')}>${inside}</${name}>`;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (found) => escapes[found] ?? found);
}
