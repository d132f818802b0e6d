/** What is said of the rules that the standard has in words (`own-checks.ts`). */
import type { Texts } from '../profiles/texts.ts';

export const ownTexts = {
  attachmentSize: (stated: number, found: number): Texts => ({
    text: `the attachment states a size of ${stated} bytes, its data have ${found}`,
    french: `la pièce jointe annonce ${stated} octets, ses données en comptent ${found}`,
  }),
  systemRelative: {
    text: 'expected an absolute URL or a urn as system, found a relative one',
    french: 'URL absolue ou urn attendue comme système, URL relative trouvée',
  },
  enableBehavior: {
    text: 'que-12: If there are more than one enableWhen, enableBehavior must be specified',
    french: "que-12 : avec plus d'un enableWhen, enableBehavior est attendu",
  },
  enabledByInner: {
    text: 'the item is enabled by one of the items below it: expected another item',
    french: "l'élément est ouvert par l'un de ceux qui en dépendent : autre élément attendu",
  },
  linkTwice: {
    text: 'expected each of the relations self, first, previous, next and last at most once, found one again',
    french: 'relations self, first, previous, next et last attendues une fois au plus, une relation répétée',
  },
  searchId: {
    text: 'expected an id of each resource that a search found, found none',
    french: 'identifiant attendu pour chaque ressource trouvée par une recherche, aucun trouvé',
  },
  fullUrlRelative: {
    text: 'expected an absolute URL or a urn as fullUrl, found a relative one',
    french: 'URL absolue ou urn attendue comme fullUrl, URL relative trouvée',
  },
  fullUrlMissing: {
    text: 'expected a fullUrl, the identity of the resource in the entry, found none (only requests may be without)',
    french:
      "fullUrl attendue, identité de la ressource de l'entrée, aucune trouvée (seules les requêtes en sont dispensées)",
  },
  fullUrlOther: {
    text: 'the fullUrl ends with a type and id, expected those of the resource, found others, or no id',
    french: "la fullUrl finit par un type et un identifiant, ceux de la ressource attendus, d'autres ou aucun trouvés",
  },
  notInDocument: {
    text: 'the document names a resource that it does not bring: expected an entry with it',
    french: "le document désigne une ressource qu'il n'apporte pas : entrée correspondante attendue",
  },
} as const;
