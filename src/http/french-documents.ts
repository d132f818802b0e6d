/** The French of what outcomes say of documents that come by IHE MHD or leave (see french-texts.ts). */
export const frenchDocumentTexts: readonly (readonly [english: string, french: string])[] = [
  ['the mailbox is not one plain address', 'la boîte aux lettres n’est pas une simple adresse'],
  [
    'a header of the mail has a line break or is too long',
    'un en-tête du message contient un saut de ligne ou est trop long',
  ],
  [
    'the patient of the document has no identifier whose system is an OID (INS, IPP): it cannot be sent',
    'le patient du document n’a aucun identifiant dont le système est un OID (INS, IPP) : l’envoi est impossible',
  ],
  [
    'the content of the document is not in this record: its URL leads elsewhere and is not followed',
    'le contenu du document n’est pas dans ce dossier : son URL mène ailleurs et n’est pas suivie',
  ],
  [
    'the channel type {} is not served for a search by criteria: expected {}',
    'le type de canal {1} n’est pas servi pour une recherche par critères : {2} attendu',
  ],
  [
    'the channel type {} is not served for a topic: expected {}',
    'le type de canal {1} n’est pas servi pour un sujet : {2} attendu',
  ],
];
