/** What is said of a QuestionnaireResponse, and how: the questionnaire is named as what asks for it. */
import type { Item } from '../profiles/items.ts';
import { addFault } from '../profiles/judge.ts';
import type { Run } from '../profiles/run.ts';
import type { Texts } from '../profiles/texts.ts';

type Code = 'not-found' | 'structure' | 'required' | 'business-rule' | 'value';

export function reporterFor(run: Run, questionnaire: string): (item: Item, code: Code, texts: Texts) => void {
  return (item, code, texts) => {
    addFault(run, item, { severity: 'error', code, profile: questionnaire, ...texts });
  };
}

export const questionTexts = {
  unknown: {
    text: 'expected a linkId of the questionnaire, found one that it does not have',
    french: "linkId du questionnaire attendu, linkId qui n'y est pas trouvé",
  },
  misplaced: {
    text: 'the questionnaire has this item elsewhere: expected it below the item or answer that it belongs to',
    french: "cet élément est ailleurs dans le questionnaire : attendu sous l'élément ou la réponse dont il dépend",
  },
  disabled: {
    text: 'the answers given before do not enable this item: expected it not to be there',
    french: "les réponses précédentes n'ouvrent pas cet élément : absence attendue",
  },
  noAnswer: {
    text: 'expected no answer: the item is a group or a display',
    french: "aucune réponse attendue : l'élément est un groupe ou un texte affiché",
  },
  tooMany: (max: number): Texts => ({
    text: `expected at most ${max} of this item or its answers, found more`,
    french: `${max} élément(s) ou réponse(s) au plus attendus, davantage trouvés`,
  }),
  tooFew: (linkId: string, min: number): Texts => ({
    text: `expected at least ${min} answer to the item ${linkId}, which is required, found fewer`,
    french: `${min} réponse(s) au moins attendue(s) à l'élément ${linkId}, qui est obligatoire, moins trouvées`,
  }),
  type: (question: string, types: readonly string[]): Texts => ({
    text: `expected an answer of type ${types.join(' or ')} to a question of type ${question}, found another type`,
    french: `réponse de type ${types.join(' ou ')} attendue à une question de type ${question}, autre type trouvé`,
  }),
  option: {
    text: 'expected one of the options of the question, found another answer',
    french: "l'une des options de la question attendue, autre réponse trouvée",
  },
  exclusive: {
    text: 'this option excludes all others: expected it alone',
    french: 'cette option exclut toutes les autres : attendue seule',
  },
  valueSet: (valueSet: string): Texts => ({
    text: `expected a code of ${valueSet}, from which the question is answered, found another`,
    french: `code de ${valueSet} attendu, dont sont tirées les réponses, autre code trouvé`,
  }),
  length: (min: number, max: number | undefined): Texts => ({
    text: `expected a text of ${min} to ${max ?? 'any number of'} characters, found another length`,
    french: `texte de ${min} à ${max ?? 'un nombre quelconque de'} caractères attendu, autre longueur trouvée`,
  }),
  regex: {
    text: 'expected a text of the form that the question has, found another',
    french: 'texte de la forme que demande la question attendu, autre forme trouvée',
  },
  range: {
    text: 'expected a value within the limits of the question, found one outside',
    french: 'valeur dans les limites de la question attendue, valeur hors limites trouvée',
  },
  incomparable: {
    text: 'expected a value that can be compared with the limits of the question, found another unit, or none',
    french: 'valeur comparable aux limites de la question attendue, autre unité ou aucune trouvée',
  },
  places: (max: number): Texts => ({
    text: `expected at most ${max} decimal places, found more`,
    french: `${max} décimales au plus attendues, davantage trouvées`,
  }),
  size: (max: number): Texts => ({
    text: `expected an attachment of at most ${max} bytes, found a larger one`,
    french: `pièce jointe de ${max} octets au plus attendue, pièce plus grande trouvée`,
  }),
  mimeType: {
    text: 'expected an attachment of a type that the question allows, found another',
    french: "pièce jointe d'un type admis par la question attendue, autre type trouvé",
  },
  unit: {
    text: 'expected one of the units of the question, found another',
    french: "l'une des unités de la question attendue, autre unité trouvée",
  },
  resourceType: {
    text: 'expected a reference to a type of resource that the question allows, found another',
    french: 'référence à un type de ressource admis par la question attendue, autre type trouvé',
  },
  url: {
    text: 'expected a URL, or a UUID in lower case as urn:uuid:..., found neither',
    french: 'URL attendue, ou UUID en minuscules sous la forme urn:uuid:..., ni l’une ni l’autre trouvée',
  },
} as const;
