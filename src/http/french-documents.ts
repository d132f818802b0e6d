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
    'the content of the document is not what its hash and size say',
    'le contenu du document n’est pas ce que disent son empreinte et sa taille',
  ],
  ['the bytes of a letter are not deleted', 'les octets d’une lettre ne sont pas supprimés'],
  [
    'the id of the Binary is a SHA-256, and not that of its data',
    'l’identifiant du Binary est un SHA-256, et non celui de ses données',
  ],
  [
    'the channel type {} is not served for a search by criteria: expected {}',
    'le type de canal {1} n’est pas servi pour une recherche par critères : {2} attendu',
  ],
  [
    'the channel type {} is not served for a topic: expected {}',
    'le type de canal {1} n’est pas servi pour un sujet : {2} attendu',
  ],
  [
    'this server sends no mail by MSSanté: its settings name no server',
    'ce serveur n’envoie pas de message MSSanté : sa configuration ne nomme aucun serveur',
  ],
  ['the text of the mail is too long', 'le texte du message est trop long'],
  [
    'the mailbox is in no domain of MSSanté that is known here',
    'la boîte aux lettres n’est dans aucun domaine MSSanté connu ici',
  ],
  [
    'expected the parameter to (a mailbox) or recipient (a reference)',
    'le paramètre to (une boîte aux lettres) ou recipient (une référence) est attendu',
  ],
  [
    'the recipient has no mailbox in a domain of MSSanté',
    'le destinataire n’a pas de boîte aux lettres dans un domaine MSSanté',
  ],
  ['the recipient is not in this record', 'le destinataire n’est pas dans ce dossier'],
  ['the mail has more than the {} bytes that MSSanté takes', 'le message dépasse les {1} octets admis par MSSanté'],
  [
    'this server publishes nowhere: its settings name no bridge',
    'ce serveur ne publie nulle part : sa configuration ne nomme aucun connecteur',
  ],
  [
    'the document lacks what IHE MHD asks of every submission',
    'il manque au document ce qu’IHE MHD demande à tout lot de soumission',
  ],
  ['the profile that the submission claims asks for this element', 'le profil que le lot déclare demande cet élément'],
  ['the profile that the submission claims forbids this element', 'le profil que le lot déclare interdit cet élément'],
  [
    'the profile that the submission claims allows this element once',
    'le profil que le lot déclare n’admet cet élément qu’une fois',
  ],
  [
    'the profile that the submission claims wants this resource contained',
    'le profil que le lot déclare veut cette ressource contenue (contained)',
  ],
  [
    'a submission has one submission set, found {}',
    'un lot a une seule ressource List « submissionset », {1} trouvées',
  ],
  ['a submission is about one patient, found several', 'un lot concerne un seul patient, plusieurs trouvés'],
  ['a submission has no entry of this kind', 'un lot n’a pas d’entrée de ce genre'],
  ['the size is not that of the document', 'la taille n’est pas celle du document'],
  ['the hash is not the SHA-1 of the document', 'l’empreinte n’est pas le SHA-1 du document'],
  ['the document is not in the Bundle', 'le document n’est pas dans le Bundle'],
  [
    'the status of a shared document is current or superseded',
    'le statut d’un document partagé est current ou superseded',
  ],
  [
    'a shared document is not deleted: set its status to superseded',
    'un document partagé ne se supprime pas : passez son statut à superseded',
  ],
  [
    'a patch of a shared document changes its status, its security labels or whether it is archived, and nothing else',
    'un patch d’un document partagé change son statut, ses niveaux de confidentialité ou son archivage, et rien d’autre',
  ],
  [
    'a patch of a submission sets DocumentReference.status to superseded, and nothing else',
    'un patch dans un lot passe DocumentReference.status à superseded, et rien d’autre',
  ],
  [
    'the patient is on another server, which is not asked',
    'le patient est sur un autre serveur, qui n’est pas interrogé',
  ],
  ['the patient of the submission is not known here', 'le patient du lot n’est pas connu ici'],
  [
    'a document with this id is here already, with other bytes',
    'un document de cet identifiant est déjà ici, avec un autre contenu',
  ],
  ['the document that is to be replaced is not here', 'le document à remplacer n’est pas ici'],
  ['the document that is to be replaced is of another patient', 'le document à remplacer est d’un autre patient'],
  [
    'the document that is to be replaced is not the latest version',
    'le document à remplacer n’est pas la version la plus récente',
  ],
  [
    'metadata need a document with an identifier whose first entry is a Composition with a subject',
    'les métadonnées demandent un document avec un identifiant, dont la première entrée est une Composition avec un sujet',
  ],
  ['the parameter format is fhir or pdf', 'le paramètre format vaut fhir ou pdf'],
  [
    'the DetectedIssue names no patient: there is nobody to write about',
    'le DetectedIssue ne nomme aucun patient : il n’y a personne dont parler',
  ],
  [
    'expected Parameters with one parameter, document: a Binary or a Bundle',
    'Parameters attendu avec un seul paramètre, document : un Binary ou un Bundle',
  ],
  [
    'no metadata can be made of this content: expected a CDA or a FHIR document',
    'aucune métadonnée ne peut être tirée de ce contenu : un CDA ou un document FHIR est attendu',
  ],
];
