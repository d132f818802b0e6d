/** FHIR XML and JSON are two forms of the same: https://hl7.org/fhir/R4/xml.html, https://hl7.org/fhir/R4/json.html. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../../../src/base/index.ts';
import { ExactNumber, exposeDigits } from '../../../src/fhir/digits.ts';
import { loadDefinitions, parseJson, readFhirXml, serializeJson, writeFhirXml } from '../../../src/fhir/index.ts';
import { arbitraryResource } from './arbitrary.ts';

const definitions = loadDefinitions();
const read = (text: string) => readFhirXml(Buffer.from(text), definitions);
const patient = (content: string): string => `<Patient xmlns="http://hl7.org/fhir">${content}</Patient>`;
const fixture = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

function problemOf(action: () => unknown): Problem {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('readFhirXml', () => {
  it('gives what parseJson gives for the same resource in JSON', () => {
    const fromXml = read(fixture('patient.xml'));
    const fromJson = parseJson(fixture('patient.json'));
    expect(exposeDigits(fromXml)).toEqual(exposeDigits(fromJson));
    expect(serializeJson(fromXml)).toBe(serializeJson(fromJson));
  });

  it('reads Bundles and Parameters with resources inside', () => {
    const bundle = `<Bundle xmlns="http://hl7.org/fhir"><type value="batch-response"/>
      <entry><resource><Patient><active value="true"/></Patient></resource></entry>
      <entry><response><status value="404"/><outcome><OperationOutcome><id value="x"/></OperationOutcome></outcome></response></entry>
    </Bundle>`;
    expect(read(bundle)).toEqual({
      resourceType: 'Bundle',
      type: 'batch-response',
      entry: [
        { resource: { resourceType: 'Patient', active: true } },
        { response: { status: '404', outcome: { resourceType: 'OperationOutcome', id: 'x' } } },
      ],
    });
  });

  it('takes a resource without content, a byte order mark, any prefix, and schemaLocation', () => {
    expect(read('<Patient xmlns="http://hl7.org/fhir"/>')).toEqual({ resourceType: 'Patient' });
    const prefixed = `\ufeff<?xml version='1.0' encoding='utf-8'?><f:Patient xmlns:f="http://hl7.org/fhir"
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"><f:active value=" false "/></f:Patient>`;
    expect(read(prefixed)).toEqual({ resourceType: 'Patient', active: false });
  });

  it.each([
    [
      'the root has a prefix for it',
      '<Patient xmlns="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"><text><status value="empty"/><h:div class="a&quot;"><h:p>1 &lt; 2</h:p><![CDATA[<&>]]></h:div></text></Patient>',
      '<div xmlns="http://www.w3.org/1999/xhtml" class="a&quot;"><p>1 &lt; 2</p>&lt;&amp;&gt;</div>',
    ],
    [
      'it is the default of the root',
      '<f:Patient xmlns:f="http://hl7.org/fhir" xmlns="http://www.w3.org/1999/xhtml"><f:text><f:status value="empty"/><div><br/></div></f:text></f:Patient>',
      '<div xmlns="http://www.w3.org/1999/xhtml"><br></br></div>',
    ],
  ])('makes a narrative stand alone when %s', (_what, text, div) => {
    expect((read(text) as unknown as { text: { div: string } }).text.div).toBe(div);
  });

  it.each([
    ['an unknown element', patient('<nom value="Secret"/>'), 'Patient.nom'],
    [
      'an unknown element deep inside',
      patient('<contact><name><text value="a"/><nom/></name></contact>'),
      'Patient.contact[0].name.nom',
    ],
    [
      'an element in the wrong place of the order',
      patient('<birthDate value="1951-06-03"/><gender value="female"/>'),
      'Patient.gender',
    ],
    ['an element twice', patient('<gender value="male"/><gender value="female"/>'), 'Patient.gender'],
    [
      'two forms of a choice',
      patient('<deceasedBoolean value="true"/><deceasedDateTime value="2026"/>'),
      'Patient.deceased',
    ],
    ['text between elements', patient('<name>Secret</name>'), 'Patient.name[0]'],
    ['CDATA between elements', patient('<![CDATA[Secret]]>'), 'Patient'],
    ['an empty element', patient('<name/>'), 'Patient.name[0]'],
    ['a primitive without anything', patient('<name><given value="a"/><given/></name>'), 'Patient.name[0].given[1]'],
    ['an empty contained', patient('<contained/>'), 'Patient.contained[0]'],
    [
      'two resources in one place',
      patient('<contained><Patient><id value="a"/></Patient><Patient/></contained>'),
      'Patient.contained[0]',
    ],
    ['an unknown attribute', patient('<gender value="male" code="Secret"/>'), 'Patient.gender'],
    ['an id attribute on a resource', '<Patient xmlns="http://hl7.org/fhir" id="a"/>', 'Patient'],
    ['an element where an attribute belongs', patient('<name><id value="a"/></name>'), 'Patient.name[0].id'],
    ['a value on a complex element', patient('<name value="Secret"/>'), 'Patient.name[0]'],
    ['a boolean that is none', patient('<active value="1"/>'), 'Patient.active'],
    ['a number that JSON cannot have', patient('<multipleBirthInteger value="+2"/>'), 'Patient.multipleBirth'],
    ['an element of another namespace', patient('<gender xmlns="urn:x" value="male"/>'), 'Patient.gender'],
    [
      'a narrative of another namespace',
      patient('<text><status value="empty"/><div>Secret</div></text>'),
      'Patient.text.div',
    ],
  ])('refuses %s and says where, without content', (_what, text, expression) => {
    const problem = problemOf(() => read(text));
    expect(problem.category).toBe('incorrect');
    expect(problem.issues).toMatchObject([
      { expression, code: 'structure', text: expect.stringMatching(/line 1, column \d+/) },
    ]);
    expect(JSON.stringify(problem.issues)).not.toContain('Secret');
  });

  it.each([
    ['an empty body', ''],
    ['JSON', '{"resourceType":"Patient"}'],
    ['tags that do not match', '<Patient xmlns="http://hl7.org/fhir"><name></Patient>'],
    ['an element after the root', `${patient('')}<Patient xmlns="http://hl7.org/fhir"/>`],
    ['an attribute twice', patient('<gender value="male" value="Secret"/>')],
    ['an entity beyond the five of XML', patient('<name><text value="&nbsp;"/></name>')],
    ['a character that XML does not have', patient('<name><text value="&#1;"/></name>')],
    ['a DOCTYPE', `<!DOCTYPE Patient [<!ENTITY x "y">]>${patient('')}`],
    [
      'entities that multiply',
      `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>${patient('<name><text value="&b;"/></name>')}`,
    ],
    ['another encoding', `<?xml version="1.0" encoding="ISO-8859-1"?>${patient('')}`],
    ['no namespace', '<Patient/>'],
    ['a type that does not exist', '<Constructor xmlns="http://hl7.org/fhir"/>'],
    ['an abstract type', '<DomainResource xmlns="http://hl7.org/fhir"/>'],
  ])('refuses %s', (_what, text) => {
    expect(problemOf(() => read(text)).category).toBe('incorrect');
  });

  it('refuses bytes that are not UTF-8', () => {
    const bytes = Buffer.from(patient('<name><text value="Zoé"/></name>'), 'latin1');
    expect(problemOf(() => readFhirXml(bytes, definitions)).message).toBe('the body is not valid UTF-8');
  });

  it.each([
    ['depth', '<extension url="a">'.repeat(100_000)],
    ['elements', '<name><text value="a"/></name>'.repeat(50)],
    ['attributes', `<name ${Array.from({ length: 60 }, (_value, index) => `a${index}="b"`).join(' ')}/>`],
    ['size', `<name><text value="${'a'.repeat(5000)}"/></name>`],
  ])('stops at its limit of %s', (_what, content) => {
    const limits = {
      bytesMax: content.startsWith('<extension') ? 10_000_000 : 4000,
      depthMax: 50,
      elementsMax: 80,
      attributesMax: 50,
    };
    const started = performance.now();
    const problem = problemOf(() => readFhirXml(Buffer.from(patient(content)), definitions, limits));
    expect(problem.category).toBe('content-too-costly');
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('writeFhirXml', () => {
  it('writes elements in the order of the definitions, attributes where they belong, digits as received', () => {
    const shuffled = parseJson(
      '{"valueQuantity":{"unit":"mmol/L","value":5.10,"id":"q"},"status":"final","resourceType":"Observation","extension":[{"valueInteger":3,"url":"urn:a"}]}',
    );
    expect(writeFhirXml(shuffled, definitions)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Observation xmlns="http://hl7.org/fhir">' +
        '<extension url="urn:a"><valueInteger value="3"/></extension><status value="final"/>' +
        '<valueQuantity id="q"><value value="5.10"/><unit value="mmol/L"/></valueQuantity></Observation>',
    );
  });

  it('indents outside the narrative when asked', () => {
    const pretty = writeFhirXml(parseJson(fixture('patient.json')), definitions, { isPretty: true });
    expect(`${pretty}\n`).toBe(fixture('patient.xml').replace(/<!--.*-->\n/, ''));
  });

  it.each([
    ['an unknown member', '{"resourceType":"Patient","name":[{"nom":"Secret"}]}', 'Patient.name[0]'],
    ['extensions of what is no primitive', '{"resourceType":"Patient","_name":[{"id":"a"}]}', 'Patient'],
    ['one value where a list is due', '{"resourceType":"Patient","name":{"text":"a"}}', 'Patient.name'],
    ['a list where one value is due', '{"resourceType":"Patient","gender":["male"]}', 'Patient.gender'],
    ['text for a number', '{"resourceType":"Patient","multipleBirthInteger":"2"}', 'Patient.multipleBirth'],
    ['text for an element', '{"resourceType":"Patient","name":["Secret"]}', 'Patient.name[0]'],
    ['a resource without type', '{"resourceType":"Patient","contained":[{"id":"a"}]}', 'Patient.contained[0]'],
    [
      'a narrative that would break out',
      '{"resourceType":"Patient","text":{"status":"empty","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">a</div></text><active value=\\"true\\"/><text>"}}',
      'Patient.text.div',
    ],
    [
      'a narrative without namespace',
      '{"resourceType":"Patient","text":{"status":"empty","div":"<div>a</div>"}}',
      'Patient.text.div',
    ],
  ])('refuses %s and says where, without content', (_what, text, expression) => {
    const problem = problemOf(() => writeFhirXml(parseJson(text), definitions));
    expect(problem.category).toBe('unprocessable');
    expect(problem.issues).toMatchObject([{ expression }]);
    expect(problem.message).not.toContain('Secret');
  });

  it('refuses characters that XML does not have', () => {
    const value = parseJson('{"resourceType":"Patient","name":[{"text":"a\\u0001"}]}');
    expect(problemOf(() => writeFhirXml(value, definitions)).message).toMatch(/ask for JSON/);
  });
});

describe('JSON -> XML -> JSON', () => {
  it('changes nothing in any resource of any type', () => {
    fc.assert(
      fc.property(arbitraryResource(definitions), (resource) => {
        for (const isPretty of [false, true]) {
          const again = read(writeFhirXml(resource, definitions, { isPretty }));
          expect(exposeDigits(again)).toEqual(exposeDigits(resource));
        }
      }),
      { numRuns: 100 },
    );
  });

  const folder = fileURLToPath(new URL('../../../../shared/packages/examples/', import.meta.url));
  if (!existsSync(folder)) it.skip(`examples of packages are not there, left out: ${folder}`, () => undefined);
  else {
    it('changes nothing in the examples of the French packages', () => {
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
      const changed = files.filter((name) => {
        const value = parseJson(readFileSync(`${folder}${name}`)) as { resourceType?: string };
        if (!definitions.resourceTypes.has(value.resourceType ?? '')) return false;
        const again = read(writeFhirXml(value, definitions));
        return canonical(again) !== canonical(value);
      });
      expect(changed).toEqual([]);
      expect(files.length).toBeGreaterThan(400);
    });
  }
});

/** Members sorted, digits kept; a list of nothing but null (its items have extensions only) is the same as no list. */
function canonical(value: unknown): string {
  const sort = (member: unknown): unknown => {
    if (member instanceof ExactNumber) return member.digits;
    if (Array.isArray(member)) return member.every((item) => item === null) ? undefined : member.map(sort);
    if (typeof member !== 'object' || member === null) return member;
    const names = Object.keys(member).sort();
    return Object.fromEntries(names.map((name) => [name, sort((member as Record<string, unknown>)[name])]));
  };
  return JSON.stringify(sort(exposeDigits(value)));
}
