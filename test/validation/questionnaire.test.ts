/** Responses against their questionnaire, contained or loaded: https://hl7.org/fhir/R4/questionnaireresponse.html#link */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createLibrary, joinLibraries, loadDefinitions } from '../../src/fhir/index.ts';
import { createBaseLibrary } from '../../src/packages/index.ts';
import { slim } from '../../src/packages/slim.ts';
import { createTerminology } from '../../src/terminology/index.ts';
import { createValidator, type Validator } from '../../src/validation/index.ts';

const r4 = 'http://hl7.org/fhir/StructureDefinition';
const canonical = 'https://guide.example/Questionnaire/retour-domicile';
const unit = (code: string): object => ({ system: 'http://unitsofmeasure.org', code });
const questionnaire = {
  resourceType: 'Questionnaire',
  url: canonical,
  status: 'active',
  item: [
    {
      linkId: 'pain',
      type: 'integer',
      required: true,
      extension: [limit('minValue', { valueInteger: 0 }), limit('maxValue', { valueInteger: 10 })],
    },
    { linkId: 'fever', type: 'boolean' },
    {
      linkId: 'degrees',
      type: 'quantity',
      enableWhen: [{ question: 'fever', operator: '=', answerBoolean: true }],
      extension: [
        limit('questionnaire-unitOption', { valueCoding: unit('Cel') }),
        limit('maxDecimalPlaces', { valueInteger: 1 }),
      ],
    },
    {
      linkId: 'mood',
      type: 'choice',
      repeats: true,
      answerOption: [
        { valueCoding: { system: 'https://guide.example/mood', code: 'good' } },
        {
          valueCoding: { system: 'https://guide.example/mood', code: 'none' },
          extension: [limit('questionnaire-optionExclusive', { valueBoolean: true })],
        },
      ],
    },
    { linkId: 'gender', type: 'choice', answerValueSet: 'http://hl7.org/fhir/ValueSet/administrative-gender' },
    { linkId: 'words', type: 'string', maxLength: 10, extension: [limit('regex', { valueString: '[a-zé ]+' })] },
    { linkId: 'home', type: 'group', repeats: false, item: [{ linkId: 'alone', type: 'boolean', required: true }] },
    { linkId: 'thanks', type: 'display' },
    {
      linkId: 'letter',
      type: 'attachment',
      extension: [limit('mimeType', { valueCode: 'application/pdf' }), limit('maxSize', { valueDecimal: 100 })],
    },
    {
      linkId: 'nurse',
      type: 'reference',
      extension: [limit('questionnaire-referenceResource', { valueCode: 'Practitioner' })],
    },
  ],
};

function limit(name: string, value: object): object {
  return { url: `${r4}/${name}`, ...value };
}

let validator: Validator;
beforeAll(async () => {
  const library = joinLibraries(createLibrary([slim(questionnaire)]), createBaseLibrary());
  validator = await createValidator({
    definitions: loadDefinitions(),
    beyond: { library, terms: createTerminology(library) },
  });
});

const item = (linkId: string, ...answer: readonly object[]): object => ({
  linkId,
  ...(answer.length === 0 ? {} : { answer }),
});
const pain = item('pain', { valueInteger: 3 });
const mood = (code: string): object => ({ valueCoding: { system: 'https://guide.example/mood', code } });
const fever = item('fever', { valueBoolean: true });
const respond = (items: readonly object[], members: object = {}): object => ({
  resourceType: 'QuestionnaireResponse',
  questionnaire: canonical,
  status: 'completed',
  item: items,
  ...members,
});

it.each<[string, readonly object[], object?]>([
  ['what is required, and no more', [pain]],
  [
    'all questions',
    [
      pain,
      fever,
      item('degrees', { valueQuantity: { value: 38.5, ...unit('Cel') } }),
      item('mood', mood('good')),
      item('gender', { valueCoding: { system: 'http://hl7.org/fhir/administrative-gender', code: 'female' } }),
      item('words', { valueString: 'fatiguée' }),
      { linkId: 'home', item: [item('alone', { valueBoolean: false })] },
      item('thanks'),
      item('letter', { valueAttachment: { contentType: 'application/pdf', url: 'https://a.example/1', size: 90 } }),
      item('nurse', { valueReference: { reference: 'Practitioner/1' } }),
    ],
  ],
  ['nothing yet, while it is being filled in', [item('fever')], { status: 'in-progress' }],
  [
    'a questionnaire that nobody has loaded',
    [item('else', { valueString: 'x' })],
    { questionnaire: 'https://else.example/Q' },
  ],
])('a response with %s is let pass', (_title, ...[items, members]) => {
  expect(errorsOf(respond(items, members))).toEqual([]);
});

describe('a response is refused for', () => {
  it.each<[string, readonly object[], string, object?]>([
    ['a missing answer', [item('fever', { valueBoolean: false })], 'QuestionnaireResponse'],
    ['a question that is not asked', [pain, item('else', { valueString: 'x' })], 'QuestionnaireResponse.item[1]'],
    [
      'an item that belongs below another',
      [pain, item('alone', { valueBoolean: true })],
      'QuestionnaireResponse.item[1]',
    ],
    [
      'a missing answer in a group that is there',
      [pain, { linkId: 'home', item: [item('alone')] }],
      'QuestionnaireResponse.item[1].item[0]',
    ],
    [
      'two answers to a question that has one',
      [item('pain', { valueInteger: 1 }, { valueInteger: 2 })],
      'QuestionnaireResponse.item[0]',
    ],
    [
      'an answer of another type',
      [item('pain', { valueString: '3' })],
      'QuestionnaireResponse.item[0].answer[0].value.ofType(string)',
    ],
    [
      'a value above the limit',
      [item('pain', { valueInteger: 11 })],
      'QuestionnaireResponse.item[0].answer[0].value.ofType(integer)',
    ],
    [
      'a question that other answers do not enable',
      [pain, item('degrees', { valueQuantity: { value: 38, ...unit('Cel') } })],
      'QuestionnaireResponse.item[1]',
    ],
    [
      'another unit',
      [pain, fever, item('degrees', { valueQuantity: { value: 101, ...unit('[degF]') } })],
      'QuestionnaireResponse.item[2].answer[0].value.ofType(Quantity)',
    ],
    [
      'too many decimal places',
      [pain, fever, item('degrees', { valueQuantity: { value: 38.25, ...unit('Cel') } })],
      'QuestionnaireResponse.item[2].answer[0].value.ofType(Quantity)',
    ],
    ['no option', [pain, item('mood', mood('bad'))], 'QuestionnaireResponse.item[1].answer[0].value.ofType(Coding)'],
    [
      'an exclusive option beside another',
      [pain, item('mood', mood('good'), mood('none'))],
      'QuestionnaireResponse.item[1].answer[1].value.ofType(Coding)',
    ],
    [
      'a code outside of the value set',
      [pain, item('gender', { valueCoding: { system: 'http://hl7.org/fhir/item-type', code: 'string' } })],
      'QuestionnaireResponse.item[1].answer[0].value.ofType(Coding)',
    ],
    [
      'a text that is too long',
      [pain, item('words', { valueString: 'a'.repeat(11) })],
      'QuestionnaireResponse.item[1].answer[0].value.ofType(string)',
    ],
    [
      'a text of another form',
      [pain, item('words', { valueString: 'x1' })],
      'QuestionnaireResponse.item[1].answer[0].value.ofType(string)',
    ],
    [
      'an answer to a text that is displayed',
      [pain, item('thanks', { valueString: 'x' })],
      'QuestionnaireResponse.item[1].answer[0]',
    ],
    [
      'an attachment of another type',
      [pain, item('letter', { valueAttachment: { contentType: 'image/png', url: 'https://a.example/1' } })],
      'QuestionnaireResponse.item[1].answer[0].value.ofType(Attachment)',
    ],
    [
      'an attachment that is too large',
      [
        pain,
        item('letter', { valueAttachment: { contentType: 'application/pdf', url: 'https://a.example/1', size: 101 } }),
      ],
      'QuestionnaireResponse.item[1].answer[0].value.ofType(Attachment)',
    ],
    [
      'a reference to another type',
      [pain, item('nurse', { valueReference: { reference: 'Patient/1' } })],
      'QuestionnaireResponse.item[1].answer[0].value.ofType(Reference)',
    ],
  ])('%s', (_title, ...[items, expression, members]) => {
    expect(errorsOf(respond(items, members))).toEqual([expression]);
  });

  it('what its contained questionnaire does not ask', () => {
    const contained = [{ ...questionnaire, id: 'q1' }];
    const response = respond([pain, item('else')], { contained, questionnaire: '#q1' });
    expect(errorsOf(response)).toEqual(['QuestionnaireResponse.item[1]']);
  });
});

function errorsOf(resource: object): readonly unknown[] {
  const issues = validator.validate(resource).filter(({ severity }) => severity === 'error');
  expect(issues.every(({ french, profile }) => french !== undefined && profile !== undefined)).toBe(true);
  return issues.map(({ expression }) => expression);
}
