/** What is said of the rules that the standard has in words (`own-checks.ts`). */
import type { Texts } from '../profiles/texts.ts';

export const ownTexts = {
  referenceForm: {
    text: 'expected a reference as Type/id, #id, a search or an absolute URL, found another form, or an unknown type',
    french:
      'référence attendue sous la forme Type/id, #id, recherche ou URL absolue, autre forme ou type inconnu trouvé',
  },
  referenceType: (type: string): Texts => ({
    text: `the reference names a resource of type ${type}, and states another type`,
    french: `la référence désigne une ressource de type ${type}, et en annonce un autre`,
  }),
  referenceTarget: (type: string, targets: readonly string[]): Texts => ({
    text: `expected a reference to ${targets.join(', ')}, found one to the ${type} that comes with it`,
    french: `référence vers ${targets.join(', ')} attendue, trouvée vers la ressource ${type} qui l'accompagne`,
  }),
  containedTwice: {
    text: 'expected each contained resource with an id of its own, found one again',
    french: 'identifiant propre attendu pour chaque ressource contenue, identifiant répété trouvé',
  },
  urlRelative: {
    text: 'expected an absolute URL or a urn, by which others can name this definition, found a relative one',
    french: 'URL absolue ou urn attendue, par laquelle nommer cette définition, URL relative trouvée',
  },
  pathUnknown: {
    text: 'the type that the profile constrains has no element at this path',
    french: "le type que le profil contraint n'a pas d'élément à ce chemin",
  },
  filterBoolean: {
    text: 'expected true or false as value of a filter on notSelectable, found another',
    french: "true ou false attendu comme valeur d'un filtre sur notSelectable, autre valeur trouvée",
  },
  urlUuid: {
    text: 'expected a UUID behind urn:uuid:, found another text',
    french: 'UUID attendu après urn:uuid:, autre texte trouvé',
  },
  conceptsNotPresent: {
    text: 'the code system says that it brings no concepts (not-present), and has some',
    french: "le système de codes dit n'apporter aucun concept (not-present), et en contient",
  },
  supplementContent: {
    text: 'a code system that supplements another has the content supplement, found another',
    french: 'un système de codes qui en complète un autre a le contenu supplement, autre contenu trouvé',
  },
  propertyTwice: {
    text: 'expected each property with a code of its own, found one again',
    french: 'code propre attendu pour chaque propriété, code répété trouvé',
  },
  uriIdentifier: {
    text: 'the system says that the value is a URI, expected one with a scheme (urn:oid:, https:), found none',
    french: 'le système annonce une URI : valeur avec schéma attendue (urn:oid:, https:), aucun trouvé',
  },
  supplementSystem: {
    text: 'the system is a supplement of another code system: expected the system that it adds to',
    french: "le système est le supplément d'un autre : système complété attendu",
  },
  codeUnknown: (system: string): Texts => ({
    text: `the code system ${system}, as loaded here, has no such code`,
    french: `le système de codes ${system}, tel que chargé ici, n'a pas ce code`,
  }),
  attachmentSize: (stated: number, found: number): Texts => ({
    text: `the attachment states a size of ${stated} bytes, its data have ${found}`,
    french: `la pièce jointe annonce ${stated} octets, ses données en comptent ${found}`,
  }),
  attachmentHash: {
    text: 'the hash of the attachment is not the SHA-1 of its data, in base64',
    french: "l'empreinte de la pièce jointe n'est pas le SHA-1 de ses données, en base64",
  },
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
  twiceInDocument: {
    text: 'the document names a resource of which it brings several versions: expected the version in the reference',
    french: 'le document désigne une ressource dont il apporte plusieurs versions : version attendue dans la référence',
  },
  notInDocument: {
    text: 'the document names a resource that it does not bring: expected an entry with it',
    french: "le document désigne une ressource qu'il n'apporte pas : entrée correspondante attendue",
  },
} as const;
