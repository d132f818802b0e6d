/** Rows X of the hostile inputs (XML), and what a good document comes out as. https://www.w3.org/TR/xml/ */
import { describe, expect, test } from '@jest/globals';
import { xmlLimits } from '../../src/base/index.ts';
import { attribute, child, parseXml, rawText, textOf, type XmlElement, xpath } from '../../src/formats/index.ts';

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function rootOf(source: string | Uint8Array): XmlElement {
  const result = parseXml(typeof source === 'string' ? bytesOf(source) : source);
  if (result.kind === 'refused') throw new Error(result.issue.text);
  return result.root;
}

function refusalOf(source: string | Uint8Array) {
  const result = parseXml(typeof source === 'string' ? bytesOf(source) : source);
  return result.kind === 'refused' ? result.issue : undefined;
}

/** UTF-16 bytes, little endian unless said otherwise. */
function utf16(text: string, isBigEndian = false): Uint8Array {
  const bytes = Buffer.from(text, 'utf16le');
  return isBigEndian ? bytes.swap16() : bytes;
}

/** Processor time of this process: what others do on the machine does not count. */
function cpuMsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const ansi = (text: string): Uint8Array => Buffer.from(text.replaceAll('’', '\u0092'), 'latin1');

describe('a well-formed document', () => {
  test('becomes a tree of local names, namespaces, attributes and text', () => {
    const root = rootOf('<a xmlns="urn:x" xmlns:y="urn:y" b="1" y:c="2"><d> e </d><y:d/></a>');
    expect(root).toMatchObject({ name: 'a', namespace: 'urn:x' });
    expect(attribute(root, 'b')).toBe('1');
    expect(attribute(root, '{urn:y}c')).toBe('2');
    expect(root.attributes.size).toBe(2);
    expect(textOf(child(root, 'd'))).toBe('e');
  });

  test('keeps elements of a foreign namespace apart from those of the same local name', () => {
    const root = rootOf('<a xmlns="urn:x" xmlns:s="urn:sdtc"><s:id>foreign</s:id><id>own</id></a>');
    expect(textOf(child(root, 'id'))).toBe('own');
  });

  test('says where an element is, with a position among its likes', () => {
    const root = rootOf('<a><b/><c><d/></c><c><d/><d/></c></a>');
    const second = root.children.filter((node) => typeof node !== 'string')[2] as XmlElement;
    expect(xpath(second.children[1] as XmlElement)).toBe('/a/c[2]/d[2]');
    expect(xpath(child(root, 'b') as XmlElement)).toBe('/a/b');
  });

  test.each(['__proto__', 'constructor', 'hasOwnProperty'])('takes %s as a name like any other', (name) => {
    const root = rootOf(`<a ${name}="1"><${name}>x</${name}></a>`);
    expect(attribute(root, name)).toBe('1');
    expect(textOf(child(root, name))).toBe('x');
  });
});

describe('a DTD', () => {
  const laughs = [
    '<!DOCTYPE lolz [<!ENTITY lol "lol">',
    ...Array.from({ length: 9 }, (_, i) => `<!ENTITY lol${i + 1} "${`&lol${i || ''};`.repeat(10)}">`),
    ']><lolz>&lol9;</lolz>',
  ].join('');
  test.each([
    ['X1: a bare DOCTYPE', '<!DOCTYPE a><a/>'],
    ['X2: billion laughs', laughs],
    ['X2: quadratic blow-up', `<!DOCTYPE a [<!ENTITY x "${'x'.repeat(9000)}">]><a>${'&x;'.repeat(9000)}</a>`],
    ['X3: a file as entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
    ['X3: a URL as entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]><a>&x;</a>'],
    ['X3: parameter entities', '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]><a/>'],
    ['X1: a DOCTYPE after a comment', '<!-- x -->\n<!DOCTYPE a><a/>'],
  ])('%s is refused, within 20 ms', (_, source) => {
    const bytes = bytesOf(source);
    let issue: ReturnType<typeof refusalOf>;
    // The quickest of some: the collector of garbage may come in between.
    const times = Array.from({ length: 5 }, () => cpuMsOf(() => (issue = refusalOf(bytes))));
    expect(issue).toMatchObject({ severity: 'error', code: 'structure', text: expect.stringContaining('DOCTYPE') });
    expect(Math.min(...times)).toBeLessThan(20);
  });

  test('X1: is refused in UTF-16 too', () => {
    expect(refusalOf(utf16('\ufeff<!DOCTYPE a><a/>'))?.text).toContain('DOCTYPE');
  });

  test('is told by line and column', () => {
    expect(refusalOf('<?xml version="1.0"?>\n  <!DOCTYPE a><a/>')?.diagnostics).toBe('line 2, column 3');
  });

  test('is the only way to entities: an undeclared one is refused', () => {
    expect(refusalOf('<a>&eacute;</a>')).toMatchObject({ code: 'structure', expression: '/a' });
  });
});

test('X4: stylesheets, inclusions and schema locations are plain data or nothing', () => {
  const root = rootOf(
    '<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="http://127.0.0.1:9/x.xsl"?>' +
      '<a xmlns:xi="http://www.w3.org/2001/XInclude" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' +
      ' xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd"><xi:include href="file:///etc/passwd"/><?php x ?></a>',
  );
  expect(rawText(root)).toBe('');
});

describe('X5: encodings', () => {
  const text = '<a>É€ œ</a>';
  test.each([
    ['UTF-8 without a declaration', bytesOf(text), 'utf-8'],
    ['UTF-8 with a byte order mark', Buffer.concat([Buffer.from('efbbbf', 'hex'), bytesOf(text)]), 'utf-8'],
    ['UTF-16 little endian', utf16(`\ufeff${text}`), 'utf-16le'],
    ['UTF-16 big endian', utf16(`\ufeff${text}`, true), 'utf-16be'],
    ['UTF-16 without a mark', utf16(`<?xml version="1.0" encoding="UTF-16"?>${text}`), 'utf-16le'],
    ['UTF-16 that says UTF-8: the mark wins', utf16(`\ufeff<?xml version="1.0" encoding="UTF-8"?>${text}`), 'utf-16le'],
  ])('reads %s', (_, bytes, encoding) => {
    expect(parseXml(bytes)).toMatchObject({ kind: 'tree', encoding });
    expect(rawText(rootOf(bytes))).toBe('É€ œ');
  });

  test.each([
    ['ISO-8859-1', 'c9', 'É'],
    ['iso-8859-15', 'c9a4bd', 'É€œ'],
    ['windows-1252', 'c9809c', 'É€œ'],
  ])('reads %s by its declaration', (encoding, hex, expected) => {
    const declaration = `<?xml version="1.0" encoding="${encoding}"?>`;
    const bytes = Buffer.concat([Buffer.from(`${declaration}<a>`), Buffer.from(hex, 'hex'), Buffer.from('</a>')]);
    expect(rawText(rootOf(bytes))).toBe(expected);
  });

  test.each([
    ['utf-8', 'é’𝄞'],
    ['windows-1252', 'é’'],
    ['utf-16', 'é’𝄞'],
  ])('read a long text in %s as a short one, wherever it is cut', (encoding, word) => {
    const encode = { 'utf-8': bytesOf, 'utf-16': (text: string) => utf16(`\ufeff${text}`), 'windows-1252': ansi }[
      encoding
    ];
    for (const shift of ['', 'x', 'xx', 'xxx', 'xxxx']) {
      const long = shift + word.repeat(40_000);
      const declared = encoding === 'windows-1252' ? '<?xml version="1.0" encoding="windows-1252"?>' : '';
      expect(rawText(rootOf(encode?.(`${declared}<a>${long}</a>`) ?? '')) === long).toBe(true);
    }
  });

  test('find a DOCTYPE where a long text is cut, and say its place', () => {
    const source = `<a>${'x\n'.repeat(32_765)}<!DOCTYPE a></a>`;
    expect(refusalOf(source)?.diagnostics).toBe('line 32766, column 1');
  });

  test.each([
    ['UTF-7', Buffer.from('<?xml version="1.0" encoding="UTF-7"?><a/>')],
    ['EBCDIC', Buffer.from('<?xml version="1.0" encoding="IBM037"?><a/>')],
    ['eight-bit text that says UTF-16', Buffer.from('<?xml version="1.0" encoding="UTF-16"?><a/>')],
    ['UTF-32', Buffer.from('fffe00003c000000610000002f0000003e000000', 'hex')],
    ['Latin 1 without a declaration', Buffer.from('3c613ec93c2f613e', 'hex')],
    [
      'a byte that windows-1252 does not have',
      Buffer.from('<?xml version="1.0" encoding="windows-1252"?><a>\u0081</a>', 'latin1'),
    ],
    ['overlong UTF-8', Buffer.from('3c613ec0803c2f613e', 'hex')],
    ['half a surrogate pair in UTF-16', utf16('\ufeff<a>\ud800</a>')],
  ])('refuses %s', (_, bytes) => {
    expect(refusalOf(bytes)?.code).toBe('structure');
  });
});

describe('sizes', () => {
  const attributes = Array.from({ length: 100_000 }, (_, i) => `a${i}="1"`).join(' ');
  test.each([
    ['X6: 20 000 nested elements', '<a>'.repeat(20_000)],
    ['X7: 100 000 attributes', `<a ${attributes}/>`],
    ['X7: a million siblings', `<a>${'<b/>'.repeat(1_000_000)}</a>`],
    ['X7: a text of 20 MB', `<a>${'x'.repeat(20_000_000)}</a>`],
    ['X7: a name of 1 MB', `<${'a'.repeat(1_000_000)}/>`],
  ])('%s are refused soon', (_, source) => {
    const bytes = bytesOf(source);
    let code: string | undefined;
    expect(cpuMsOf(() => (code = refusalOf(bytes)?.code))).toBeLessThan(3000);
    expect(code).toBe('too-costly');
  });

  test('counts against the limits it is given', () => {
    const limits = { ...xmlLimits, textLengthMax: 3 };
    expect(parseXml(bytesOf('<a>abc</a>'), limits).kind).toBe('tree');
    expect(parseXml(bytesOf('<a>abcd</a>'), limits)).toMatchObject({ kind: 'refused', issue: { code: 'too-costly' } });
    expect(parseXml(bytesOf('<a b="abcd"/>'), limits).kind).toBe('refused');
  });
});

describe('X8: what is not XML', () => {
  test.each([
    ['two roots', '<a/><b/>'],
    ['no root', '<!-- nothing -->'],
    ['nothing', ''],
    ['text around the root', 'x<a/>'],
    ['U+0000', '<a>\u0000</a>'],
    ['a reference to U+0000', '<a>&#0;</a>'],
    ['an unclosed element', '<a><b></a>'],
    ['an attribute twice', '<a b="1" b="2"/>'],
    ['an attribute twice under two prefixes', '<a xmlns:x="urn:a" xmlns:y="urn:a" x:b="1" y:b="2"/>'],
    ['an unbound prefix', '<x:a/>'],
    ['an attribute without quotes', '<a b=1/>'],
    ['JSON', '{"resourceType":"Patient"}'],
  ])('refuses %s', (_, source) => {
    expect(refusalOf(source)).toMatchObject({ severity: 'error', code: 'structure' });
  });

  test('never quotes the document in a refusal', () => {
    const issue = refusalOf('<patient><name>MARKER-NAME</nom></patient>');
    expect(issue).toMatchObject({
      expression: '/patient',
      diagnostics: expect.stringMatching(/^line 1, column \d+$/),
    });
    expect(JSON.stringify(issue)).not.toContain('MARKER');
  });
});

test.each(['MASQUE<!-- -->_PS', 'MAS<![CDATA[QUE]]>_PS', 'MASQUE_&#80;S', 'MASQUE<?x?>_PS'])(
  'X9: %s is one text, however it is cut',
  (content) => {
    const root = rootOf(`<a>${content}</a>`);
    expect(root.children).toEqual(['MASQUE_PS']);
  },
);

describe('the file that is the body of a letter', () => {
  const line = `${'JVBERi0xLjcK'.repeat(6)}\n`;
  const file = line.repeat(1500);
  const letter = (text: string, attributes = 'representation="B64"'): string =>
    `<a>\n <component><nonXMLBody><text ${attributes}>${text}</text></nonXMLBody></component>\n <é/></a>`;
  const textIn = (root: XmlElement): XmlElement => child(root, 'component', 'nonXMLBody', 'text') as XmlElement;

  test('is kept as its bytes, and read as the text it is', () => {
    const bytes = bytesOf(letter(file));
    const text = textIn(rootOf(bytes));
    expect(text.children).toEqual([]);
    expect(text.encoded?.buffer).toBe(bytes.buffer);
    expect(rawText(text)).toBe(file);
  });

  test.each([
    ['in two parts', `${file}<!-- page -->${line}`],
    ['after a comment', `<!-- page -->${file}`],
    ['as CDATA', `<![CDATA[${file}]]>`],
    ['with a character that is none of base64', `${file}é${file}`],
    ['with a reference to a character', `${file}&#65;${file}`],
    ['after a comment that ends like a tag', `<!-- <text representation="B64">${file}--><b/>`],
  ])('%s gives the text that UTF-16 gives, where all is text', (_, content) => {
    const [here, there] = [bytesOf(letter(content)), utf16(`\ufeff${letter(content)}`)].map((bytes) => rootOf(bytes));
    expect(rawText(here as XmlElement)).toBe(rawText(there as XmlElement));
  });

  test.each([
    ['said to be text', letter(file, 'mediaType="text/plain"')],
    ['in another element', `<a><b representation="B64">${file}</b></a>`],
  ])('%s is text', (_, source) => {
    const root = rootOf(source);
    const bytes = JSON.stringify(root, (name, value: unknown) => (name === 'parent' ? undefined : value));
    expect(bytes).not.toContain('encoded');
    expect(rawText(root)).toContain(file);
  });

  test.each([
    ['in lines', file],
    ['in one line', file.replaceAll('\n', '')],
  ])('%s moves nothing that is said of what follows it', (_, content) => {
    const wrong = letter(content).replace('<é/>', '<é/><');
    expect(refusalOf(wrong)?.diagnostics).toMatch(/^line \d+, column \d+$/);
    expect(refusalOf(wrong)?.diagnostics).toBe(refusalOf(utf16(`\ufeff${wrong}`))?.diagnostics);
    const atOnce = letter(content).replace('</text>', '</text><');
    expect(refusalOf(atOnce)?.diagnostics).toBe(refusalOf(utf16(`\ufeff${atOnce}`))?.diagnostics);
  });

  test('X6: has the limit of every text', () => {
    const result = parseXml(bytesOf(letter(file)), { ...xmlLimits, textLengthMax: 70_000 });
    expect(result).toMatchObject({ kind: 'refused', issue: { code: 'too-costly' } });
  });
});
