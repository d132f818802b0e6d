/** The French of what outcomes say of rules, breaks, subscriptions, terminology (see french-texts.ts). */
export const frenchDomainTexts: readonly (readonly [english: string, french: string])[] = [
  // Clock and jobs
  ['the job is held by another worker', 'le travail est tenu par un autre exécutant'],
  [
    'the clock moves forward only: the instant lies before now',
    'l’horloge n’avance que vers l’avenir : l’instant est passé',
  ],
  ['work was still going on after {} s', 'le travail durait encore après {1} s'],
  [
    'expected {"now": an instant with seconds and zone, e.g. "{}"}',
    '{"now": un instant avec secondes et fuseau, par exemple "{1}"} attendu',
  ],
  // Rules and breaks
  ['fixture "{}" of {}: found {}, expected {}', 'cas « {1} » de {2} : {4} attendu, {3} trouvé'],
  [
    'the rule {} stands in {} already: change it there, retire that one, or give this one another code',
    'la règle {1} figure déjà dans {2} : la changer là, retirer celle-là, ou donner à celle-ci un autre code',
  ],
  [
    'a silence needs a patient as subject, a reason, and a period with an end',
    'un silence demande un patient comme sujet, un motif, et une période qui a une fin',
  ],
  [
    'this DetectedIssue is no break: no rule of Suture made it',
    'ce DetectedIssue n’est pas une rupture : aucune règle de Suture ne l’a fait',
  ],
  [
    'resources of the type {} never stand in the record of a patient',
    'les ressources du type {1} ne sont jamais dans le dossier d’un patient',
  ],
  [
    'a Task of a break is not deleted: it is part of the story of the break',
    'la Task d’une rupture ne se supprime pas : elle fait partie de l’histoire de la rupture',
  ],
  [
    'a break is raised by a rule: this identifier is kept for them',
    'une rupture est levée par une règle : cet identifiant leur est réservé',
  ],
  [
    'a break is not deleted: close it by its Task, with the reason',
    'une rupture ne se supprime pas : la clore par sa Task, avec le motif',
  ],
  [
    '{} of a break is written by the server alone: it must stay as it is',
    '{1} d’une rupture n’est écrit que par le serveur : il doit rester tel quel',
  ],
  ['the status {} needs a reason, found none', 'le statut {1} demande un motif, aucun trouvé'],
  [
    'the status on-hold needs its end, an instant in the future, found none',
    'le statut on-hold demande sa fin, un instant à venir, aucun trouvé',
  ],
  [
    'the break is {}; the status {} cannot follow, allowed: {}',
    'la rupture est {1} ; le statut {2} ne peut suivre, permis : {3}',
  ],
  [
    'this PlanDefinition is no rule set: its type is not eca-rule',
    'ce PlanDefinition n’est pas un jeu de règles : son type n’est pas eca-rule',
  ],
  ['this Measure is none of the indicators of Suture', 'cette Measure n’est pas un indicateur de Suture'],
  ['the parameter {} is not what is expected: {}', 'le paramètre {1} n’est pas ce qui est attendu : {2}'],
  // Submissions
  [
    'a submission set has the status current and the mode working',
    'un lot de soumission a le statut current et le mode working',
  ],
  ['a submission of PDSm has a DocumentReference', 'une soumission PDSm a un DocumentReference'],
  ['this entry of a submission is sent by {}', 'cette entrée d’une soumission s’envoie par {1}'],
  [
    'a List of a submission is a submission set or a folder',
    'une List d’une soumission est un lot de soumission ou un classeur',
  ],
  ['a Bundle as a document has the type document', 'un Bundle qui est un document a le type document'],
  [
    'a FHIR document has neither hash nor size: its bytes may change',
    'un document FHIR n’a ni empreinte ni taille : ses octets peuvent changer',
  ],
  ['the status of a document that is published is current', 'le statut d’un document publié est current'],
  // Subscriptions
  ['custom channel types are not supported', 'les types de canal particuliers ne sont pas pris en charge'],
  ['this type of channel sends no headers', 'ce type de canal n’envoie pas d’en-têtes'],
  [
    'expected application/fhir+json, of FHIR version 4.0 if any is named',
    'application/fhir+json attendu, en version FHIR 4.0 si une version est nommée',
  ],
  [
    'expected text/plain, with ;attach=application/fhir+json if the notification shall be attached',
    'text/plain attendu, avec ;attach=application/fhir+json si la notification doit être jointe',
  ],
  [
    'a search has no content levels: they are for topics',
    'une recherche n’a pas de niveaux de contenu : ils sont pour les sujets',
  ],
  ['a subscription to a topic names its payload type', 'un abonnement à un sujet nomme le type de son contenu'],
  ['expected one extension, backport-payload-content', 'une extension backport-payload-content est attendue'],
  ['the content level is none of {}', 'le niveau de contenu n’est aucun de {1}'],
  [
    'an extension here is not one that this server can honour',
    'une extension à cet endroit n’est pas de celles que ce serveur peut honorer',
  ],
  ['an extension is there twice', 'une extension figure deux fois'],
  ['backport-{} is outside 1 to {}', 'backport-{1} est hors de 1 à {2}'],
  [
    'expected a search such as Encounter?status=finished, or the canonical URL of a topic',
    'une recherche telle que Encounter?status=finished, ou l’URL canonique d’un sujet, est attendue',
  ],
  [
    'a search takes no extension: filters are for topics',
    'une recherche ne prend pas d’extension : les filtres sont pour les sujets',
  ],
  [
    'the only extension here is backport-filter-criteria',
    'la seule extension à cet endroit est backport-filter-criteria',
  ],
  ['the type is unknown to FHIR R4', 'ce type est inconnu de FHIR R4'],
  ['Binary cannot be watched', 'Binary ne peut être suivi'],
  ['parameters of the result have no place here', 'les paramètres du résultat n’ont pas leur place ici'],
  ['only an active subscription is delivered to', 'on ne livre qu’à un abonnement actif'],
  [
    'a sealed value is kept only from the version before, at the same origin: give the value itself',
    'une valeur scellée n’est reprise que de la version précédente, pour la même origine : donner la valeur elle-même',
  ],
  ['the subscription is being changed', 'l’abonnement est en cours de changement'],
  ['the resource of a trigger is no type of FHIR R4', 'la ressource d’un déclencheur n’est pas un type de FHIR R4'],
  ['the resource of a shape is no type of FHIR R4', 'la ressource d’une forme n’est pas un type de FHIR R4'],
  ['a filter is no search parameter of its type', 'un filtre n’est pas un paramètre de recherche de son type'],
  ['its type is not one of the topic', 'son type n’est pas de ceux du sujet'],
  ['expected name=value', 'nom=valeur attendu'],
  [
    'the topic allows no filter by this parameter: expected {}',
    'le sujet ne permet pas de filtrer par ce paramètre : {1} attendu',
  ],
  ['the topic does not allow this comparator', 'le sujet ne permet pas ce comparateur'],
  ['see the CapabilityStatement', 'voir le CapabilityStatement'],
  [
    'the topics under this canonical are those of the server itself and cannot be changed',
    'les sujets sous cette URL canonique sont ceux du serveur et ne peuvent être changés',
  ],
  ['another topic has the same canonical url', 'un autre sujet a la même URL canonique'],
  [
    'subscriptions follow the topic: set its status to retired, and no new ones will come',
    'des abonnements suivent ce sujet : lui donner le statut retired, et il n’en viendra plus',
  ],
  [
    'the topic takes no new subscriptions: its status is {}',
    'le sujet ne prend plus d’abonnements : son statut est {1}',
  ],
  ['a client submits requested or off', 'un client soumet requested ou off'],
  ['the end has passed', 'la fin est passée'],
  // Headers of subscriptions
  ['it is longer than {} characters', 'il dépasse {1} caractères'],
  ['it is not `Name: value` in printable ASCII', 'ce n’est pas « Nom: valeur » en ASCII imprimable'],
  ['the header {} is not for subscriptions to set', 'l’en-tête {1} n’est pas de ceux qu’un abonnement peut fixer'],
  ['its name is there twice', 'son nom figure deux fois'],
  ['it has a modifier extension that is not known', 'il a une extension modificatrice qui n’est pas connue'],
  // Operations, terminology
  ['the body is no resource: expected Parameters', 'le corps n’est pas une ressource : Parameters attendu'],
  ['the body is another resource: expected Parameters', 'le corps est une autre ressource : Parameters attendu'],
  ['Parameters.parameter is no array', 'Parameters.parameter n’est pas un tableau'],
  ['expected code, coding or codeableConcept', 'code, coding ou codeableConcept attendu'],
  [
    'whether the code is among them is not known: its code system is not loaded, or it has none',
    'on ne sait si le code en fait partie : son système de codes n’est pas chargé, ou il n’en a pas',
  ],
  [
    'the value set has {} codes: ask for them by offset and count',
    'le jeu de valeurs compte {1} codes : les demander par offset et count',
  ],
  ['the parameter {} is no whole number', 'le paramètre {1} n’est pas un entier'],
  ['the parameter url is missing', 'le paramètre url manque'],
  ['the parameter resource is missing', 'le paramètre resource manque'],
  ['the value set is not loaded', 'le jeu de valeurs n’est pas chargé'],
  ['the code system is not loaded', 'le système de codes n’est pas chargé'],
  ['expected system and code, or coding', 'system et code, ou coding, attendus'],
  ['the code system has no such code', 'le système de codes n’a pas ce code'],
  [
    'expected system, codeA and codeB, or codingA and codingB',
    'system, codeA et codeB, ou codingA et codingB, attendus',
  ],
  ['the code system has not both codes', 'le système de codes n’a pas les deux codes'],
  ['the mode is none of create, update, delete, profile', 'le mode n’est aucun de create, update, delete, profile'],
  [
    'the mode {} is about a resource that is there: expected its id in the URL',
    'le mode {1} porte sur une ressource existante : son id est attendu dans l’URL',
  ],
  [
    'the mode create is about a new resource: expected no id in the URL',
    'le mode create porte sur une ressource nouvelle : aucun id n’est attendu dans l’URL',
  ],
  [
    'the mode profile is about the stored resource: expected none in the request',
    'le mode profile porte sur la ressource stockée : aucune n’est attendue dans la requête',
  ],
  // Database
  [
    'the outcome is unknown: the connection to the database broke before it answered; read again, or repeat a write with If-Match or If-None-Exist',
    'l’issue est inconnue : la connexion à la base s’est rompue avant sa réponse ; relire, ou répéter l’écriture avec If-Match ou If-None-Exist',
  ],
];

/** What stands before a colon and another text: both have their French, or neither counts as known. */
export const frenchPrefixes: readonly (readonly [english: string, french: string])[] = [
  ['parameter {}', 'paramètre {1}'],
  ['a parameter', 'un paramètre'],
  ['operation {}', 'opération {1}'],
  ['_elements', '_elements'],
  ['on {}', 'sur {1}'],
  ['the criteria cannot be served', 'les critères ne peuvent être servis'],
  ['the topic is not one of this server', 'ce sujet n’est pas de ce serveur'],
  ['a filter cannot be applied', 'un filtre ne peut être appliqué'],
  ['the topic cannot be served', 'le sujet ne peut être servi'],
  ['an include of its shape cannot be served', 'un include de sa forme ne peut être servi'],
  ['a revInclude of its shape cannot be served', 'un revInclude de sa forme ne peut être servi'],
  ['its FHIRPath is not valid', 'son FHIRPath n’est pas valide'],
  ['the endpoint cannot be used', 'l’adresse ne peut être employée'],
  ['the header cannot be sent', 'l’en-tête ne peut être envoyé'],
  ['the value set cannot be expanded', 'le jeu de valeurs ne peut être développé'],
];
