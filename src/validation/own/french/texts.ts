/** What is said of French national identifiers; never the number. */
import type { Texts } from '../../profiles/texts.ts';

export const frenchTexts = {
  form: (register: string): Texts => ({
    text: `expected a number of the form that ${register} has, found another`,
    french: `numéro de la forme ${register} attendu, autre forme trouvée`,
  }),
  key: (register: string): Texts => ({
    text: `the key of the ${register} number does not fit it: the number is mistyped or made up`,
    french: `la clé du numéro ${register} ne lui correspond pas : numéro mal saisi ou inventé`,
  }),
  testIns: {
    text: 'the identifier is an INS for tests or demonstrations: expected only on a server for tests',
    french: "l'identifiant est un INS de test ou de démonstration : attendu seulement sur un serveur de test",
  },
  qualifiedWithoutIns: {
    text: 'the identity is said to be qualified (VALI), expected an INS among the identifiers, found none',
    french: "l'identité est dite qualifiée (VALI) : INS attendu parmi les identifiants, aucun trouvé",
  },
  insNotQualified: (status: string): Texts => ({
    text: `the identity has the status ${status}, expected an INS only with a qualified identity (VALI)`,
    french: `l'identité a le statut ${status} : INS attendu seulement pour une identité qualifiée (VALI)`,
  }),
} as const;
