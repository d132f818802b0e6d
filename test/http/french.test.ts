/** Outcomes in French and English: the tables of src/http are held against every text that the sources can put into an outcome. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { frenchAccessTexts } from '../../src/http/french-access.ts';
import { frenchDocumentTexts } from '../../src/http/french-documents.ts';
import { frenchDomainTexts, frenchPrefixes } from '../../src/http/french-domain-texts.ts';
import { frenchLanguageTexts } from '../../src/http/french-language-texts.ts';
import { frenchTexts } from '../../src/http/french-texts.ts';
import { englishOf, frenchOf } from '../../src/http/french.ts';
import { letterTexts } from '../../src/http/letter-texts.ts';
import { findOutcomeTexts, type SourceText } from './outcome-texts.ts';

/** Where no caller of the FHIR interface hears what is thrown. */
const unheard: readonly (readonly [place: RegExp, why: string])[] = [
  [/^src\/db\/(?:check-server|embedded[\w-]*|migrate)\.ts/, 'ends a start; told on stderr'],
  [/^src\/db\/(?:backup|restore)\.ts/, 'told by `suture backup` and `suture restore`'],
  [/^src\/base\/config\.ts/, 'ends a start; told on stderr'],
  [/^src\/app\/(?:clients|identity|tls)\.ts/, 'told by `suture clients`, or ends a start'],
  [/^src\/identity\/certificate\.ts:\d+ the file of/, 'ends a start'],
  [/^src\/demo\//, 'told to who plays the demonstration'],
  [/^src\/packages\/(?:add|read)-package\.ts/, 'told by `suture packages add`'],
  [/^src\/breaks\/lives\.ts/, 'the text of a resource of the record, no issue'],
  [/^src\/fhir\/(?:json\.ts:\d+ (?:\{"|it ends)|fhirpath-syntax\.ts:\d+ the end$)/, 'JSON, or a part of a text'],
  [/^src\/breaks\/isolation\.ts/, 'a fault: its text is in the log alone'],
  [
    /^src\/interactions\/(?:valid|measure-operations)\.ts:\d+ (?:found |a date|true or|population)/,
    'words, in frenchWords',
  ],
  [/^src\/letters\/carrier\.ts:\d+ \{\} (?:METADATA|le message)/, 'three sentences: composed'],
  [/^src\/interactions\/take-letter\.ts:\d+ undone$/, 'undoes a transaction, and is caught there'],
];

/** Expressions without a literal behind them: what they stand for was found where it was made. */
const led: readonly (readonly [place: RegExp, why: string])[] = [
  [/^src\/base\/problem\.ts/, 'the message of any Problem'],
  [/^src\/base\/config\.ts/, 'ends a start'],
  [/^src\/search\/condition\.ts/, 'the number of a rank, no text'],
  [/^src\/rules\/reading\.ts/, 'the faults of a rule set, held by rules/read-rule-set.test.ts'],
  [/^src\/breaks\/(?:lives|fixtures)\.ts/, 'texts of resources; outcomes of fixtures'],
  [/^src\/formats\/cda\/body\.ts/, 'an element of a document'],
  [/^src\/letters\/composition\.ts/, 'a narrative'],
  [/^src\/fhir\/(?:json|fhirpath-syntax)\.ts/, 'what is read; a sign of an expression'],
  [/^src\/notify\/guard\.ts/, 'what statusAfter() says, as a member named fault'],
  [/^src\/interactions\/write\.ts/, 'type and outcome of a write: composed, below'],
  [
    /^src\/identity\/(?:client|issuer-file)\.ts/,
    'gathered in a list first, which is not followed; the second ends a start',
  ],
  [/^src\/http\/errors\.ts/, 'the table of what the HTTP library refuses, held by http/errors.test.ts'],
];

/** Put together from values that no literal of the text shows. */
const composed = [
  'Patient created',
  'Patient updated',
  'Patient unchanged',
  'RUP-1.deadline: the evaluation takes longer than 5 ms',
  'RUP-1.deadline: the evaluation needs more than 5 MB of memory',
  'RUP-1.deadline: the evaluation ended its thread',
  'RUP-1.deadline: the evaluation failed',
  'le patient du document n’est pas celui que dit METADATA.XML',
  'la date de naissance n’est pas celle que dit METADATA.XML',
  'le document ne dit pas remplacer celui que dit METADATA.XML',
];

let texts: readonly SourceText[];
let literals: readonly string[];
let unknown: readonly SourceText[];
beforeAll(() => {
  ({ texts, literals, unknown } = findOutcomeTexts());
}, 120_000);

const isIn = (list: typeof unheard, { place, text }: SourceText): boolean =>
  list.some(([form]) => form.test(place) || form.test(`${place} ${text}`));

/** As it may be said: with a word, or with a number, where it varies. */
const samples = (text: string): readonly string[] => ['x', '1'].map((part) => text.replaceAll('{}', part));

/** A text that only places another one: `parameter {}: {}`. */
function isFrame(text: string): boolean {
  const bare = text.replace(/ \(line \{\}, column (?:\{\})+\)$/, '');
  if (bare === '{}') return true;
  const rest = /^(.*): \{\}$/s.exec(bare)?.[1];
  return rest !== undefined && samples(rest).some((one) => prefixForms.some((form) => form.test(one)));
}

const formOf = (from: string): RegExp =>
  new RegExp(
    `^${from
      .split('{}')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );
const prefixForms = frenchPrefixes.map(([english]) => formOf(english));

describe('The texts of outcomes', () => {
  it('all lead to literals in the sources', () => {
    expect(texts.length).toBeGreaterThan(400);
    expect(unknown.filter((one) => !isIn(led, one))).toEqual([]);
  });

  it('all have their French, and what is written in French its English', () => {
    const heard = texts.filter((one) => !isIn(unheard, one) && !isFrame(one.text));
    const missing = heard.filter(({ text }) => samples(text).every((one) => frenchOf(one) === undefined));
    expect(missing).toEqual([]);
  });

  it.each([
    ['French texts', frenchTexts],
    ['French of documents', frenchDocumentTexts],
    ['French of access', frenchAccessTexts],
    ['French of the language', frenchLanguageTexts],
    ['French of the domain', frenchDomainTexts],
    ['English of letters', letterTexts],
    ['French before a colon', frenchPrefixes],
  ])('are what the tables translate, none in vain: %s', (what, rows) => {
    const said = [...texts.map(({ text }) => text), ...literals, ...composed].flatMap((text) =>
      partsOf(text).flatMap(samples),
    );
    const prefixes = texts.flatMap(({ text }) => samples(text)).flatMap((text) => beginnings(text));
    const sought = what === 'French before a colon' ? prefixes : said;
    const dead = rows.filter(([from]) => !sought.some((text) => formOf(from).test(text)));
    expect(dead.map(([from]) => from)).toEqual([]);
  });

  it('has holes for each part that its French repeats', () => {
    for (const [from, into] of [
      ...frenchTexts,
      ...frenchDocumentTexts,
      ...frenchLanguageTexts,
      ...frenchDomainTexts,
      ...letterTexts,
    ]) {
      const holes = from.split('{}').length - 1;
      for (const [, at] of into.matchAll(/\{(\d)\}/g)) expect([from, Number(at) <= holes]).toEqual([from, true]);
    }
  });

  it('of letters are French as they are, and English for those who ask for it', () => {
    expect(frenchOf('plus de 3 entrées')).toBe('plus de 3 entrées');
    expect(englishOf('plus de 3 entrées')).toBe('more than 3 entries');
    expect(englishOf('the body is not valid UTF-8')).toBeUndefined();
  });

  it('keep their place and what stands before a colon', () => {
    expect(frenchOf('the body has more than 5 levels (line 3, column 4)')).toBe(
      'le corps a plus de 5 niveaux (ligne 3, colonne 4)',
    );
    expect(frenchOf('operation 2 (test /gender): the resource has nothing at this place')).toBe(
      'opération 2 (test /gender) : la ressource n’a rien à cet endroit',
    );
    expect(frenchOf('parameter name: something that nobody translated')).toBeUndefined();
  });
});

/** The text, and what stands behind each colon and before a place in it. */
function partsOf(text: string): readonly string[] {
  const bare = text.replace(/ \(line \{\}, column (?:\{\})+\)$/, '');
  const behind = [...bare.matchAll(/: /g)].map(({ index }) => bare.slice(index + 2));
  return [...new Set([text, bare, ...behind])];
}

function beginnings(text: string): readonly string[] {
  return [...text.matchAll(/: /g)].map(({ index }) => text.slice(0, index));
}
