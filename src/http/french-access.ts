/** The French of what outcomes say about who asks (french-texts.ts). */
export const frenchAccessTexts: readonly (readonly [english: string, french: string])[] = [
  ['the credential is not good', 'le justificatif présenté n’est pas valable'],
  [
    'the keys that tokens are checked with cannot be had now',
    'les clés de vérification des jetons ne peuvent pas être obtenues en ce moment',
  ],
  ['the issuer of the token cannot be asked now', 'l’émetteur du jeton ne peut pas être interrogé en ce moment'],
  ['the professional has no RPPS number', 'le professionnel n’a pas de numéro RPPS'],
  [
    'the professional was not recognised as surely as is asked for here',
    'le professionnel n’a pas été authentifié avec le niveau de garantie exigé ici',
  ],
  ['the professional has no professional situation', 'le professionnel n’a aucune situation d’exercice'],
  [
    'the activity that was named is none of the professional’s',
    'l’activité indiquée n’est pas une de celles du professionnel',
  ],
  [
    'the professional has several activities: name one in the header X-Activity',
    'le professionnel a plusieurs activités : indiquer l’une d’elles dans l’en-tête X-Activity',
  ],
  ['the client has faults', 'la description du client est erronée'],
  ['a client is stored under the id {}', 'un client est enregistré sous l’identifiant {1}'],
  ['an id that begins with {} is for a client', 'un identifiant qui commence par {1} est réservé à un client'],
  ['the status of a client is active or revoked', 'le statut d’un client est active ou revoked'],
  ['a scope of the client is not one that is served', 'un scope du client n’est pas pris en charge'],
  ['a right of the client is not one that there is', 'un droit du client n’existe pas'],
  ['a client may have {} keys', 'un client peut avoir {1} clés'],
  [
    'a key of the client is not a public JWK of type EC, RSA or OKP',
    'une clé du client n’est pas une JWK publique de type EC, RSA ou OKP',
  ],
  ['the jwks-url of a client is an https URL', 'l’URL jwks-url d’un client est en https'],
  [
    'a client needs a key, a jwks-url, a certificate or an issuer',
    'un client a besoin d’une clé, d’une URL jwks-url, d’un certificat ou d’un émetteur',
  ],
  ['expected a parameter reason of {} to {} characters', 'un paramètre reason de {1} à {2} caractères est attendu'],
  ['the glass was broken too often within an hour', 'le bris de glace a été utilisé trop souvent en une heure'],
  ['no AuditEvent with this id', 'aucun AuditEvent ne porte cet identifiant'],
  ['no audit log is kept here (SUTURE_AUDIT)', 'aucun journal d’audit n’est tenu ici (SUTURE_AUDIT)'],
  ['AuditEvents are sought by patients', 'les AuditEvent se cherchent par patient'],
  [
    'AuditEvents are not sought by this parameter: expected {}',
    'les AuditEvent ne se cherchent pas par ce paramètre : {1} attendus',
  ],
  ['AuditEvents are sorted by date or -date', 'les AuditEvent se trient par date ou -date'],
  [
    'a value cannot be read as this parameter asks for',
    'une valeur ne peut pas être lue comme ce paramètre le demande',
  ],
];
