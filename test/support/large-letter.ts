/** Letters of the sizes that hospitals send, made of the fixtures. */

/** The text of a file of test/letters/fixtures. */
export type Fixture = (name: string) => string;

/** The fixture with as many entries as an official sample of that size has (about thirty); the rest is narrative. */
export function level3(size: number, fixture: Fixture): string {
  const letter = fixture('discharge.xml');
  const sections = /<structuredBody>([^]*)<\/structuredBody>/;
  const [, body = ''] = sections.exec(fixture('discharge-body.xml')) ?? [];
  const again = body.replaceAll('3b1f0c3e-0000-4000', '3b1f0c3e-0001-4000').replaceAll(/ID="|value="#/g, '$&b-');
  const paragraph = `<paragraph>Suites opératoires simples, reprise du transit au troisième jour, plaie propre et sèche. </paragraph>`;
  const words = paragraph.repeat(Math.ceil((size - letter.length - 2 * body.length) / paragraph.length));
  const text = `<component><section><code code="42545-4" codeSystem="2.16.840.1.113883.6.1"/><title>Suites</title><text>${words}</text></section></component>`;
  return letter.replace(sections, () => `<structuredBody>${body}${again}${text}</structuredBody>`);
}

/** The fixture around a file that only its size makes a PDF worth reading. */
export function level1(size: number, fixture: Fixture): string {
  const letter = fixture('discharge-pdf.xml');
  const line = `${Buffer.from('%PDF-1.7 numérisation d’un compte rendu, sans texte').toString('base64').padEnd(76, 'A').slice(0, 76)}\n`;
  const file = line.repeat(Math.floor((size - letter.length) / line.length));
  return letter.replace(
    /(<text [^>]*representation="B64"[^>]*>)[^]*(<\/text>)/,
    (_all, open, close) => open + file + close,
  );
}
