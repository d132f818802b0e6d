/**
 * What faults against profiles say, in English and in French. Values of the resource are never quoted; those of the
 * profile are, as JSON, up to a length.
 */
export interface Texts {
  readonly text: string;
  readonly french: string;
}

const quotedMax = 200;

function quote(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > quotedMax ? `${json.slice(0, quotedMax)}...` : json;
}

function list(canonicals: readonly string[]): string {
  const shown = canonicals.slice(0, 5).join(', ');
  return canonicals.length > 5 ? `${shown}, ...` : shown;
}

interface Count {
  readonly sliceName: string | undefined;
  readonly min: number;
  readonly max: number;
  readonly found: number;
}

export function describeCount({ sliceName, min, max, found }: Count): Texts {
  const [of, de] = sliceName === undefined ? ['', ''] : [` of the slice ${sliceName}`, ` de la tranche ${sliceName}`];
  if (max === 0)
    return { text: `this element${of} is not allowed here`, french: `cet élément${de} n'est pas permis ici` };
  const isLess = found < min;
  const limit = isLess ? min : max;
  return {
    text: `expected at ${isLess ? 'least' : 'most'} ${limit}${of}, found ${found}`,
    french: `au ${isLess ? 'moins' : 'plus'} ${limit} attendu(s)${de}, ${found} trouvé(s)`,
  };
}

export const faultTexts = {
  type: (codes: readonly string[]): Texts => ({
    text: `expected the type ${codes.join(' or ')}, found another`,
    french: `type ${codes.join(' ou ')} attendu, autre type trouvé`,
  }),
  noProfile: (profiles: readonly string[]): Texts => ({
    text: `expected conformance to one of ${list(profiles)}, found it to none`,
    french: `conformité attendue à l'un de ${list(profiles)}, à aucun trouvée`,
  }),
  aggregation: (kinds: readonly string[]): Texts => ({
    text: `expected a reference that is ${kinds.join(' or ')}, found another kind`,
    french: `référence de nature ${kinds.join(' ou ')} attendue, autre nature trouvée`,
  }),
  target: (targets: readonly string[]): Texts => ({
    text: `expected a reference to ${list(targets)}, found one to another type of resource`,
    french: `référence vers ${list(targets)} attendue, autre type de ressource trouvé`,
  }),
  targetProfile: (targets: readonly string[]): Texts => ({
    text: `the resource referred to conforms to none of ${list(targets)}`,
    french: `la ressource référencée n'est conforme à aucun de ${list(targets)}`,
  }),
  fixed: (value: unknown): Texts => ({
    text: `expected exactly ${quote(value)}, found another value`,
    french: `valeur exacte ${quote(value)} attendue, autre valeur trouvée`,
  }),
  pattern: (value: unknown): Texts => ({
    text: `expected at least ${quote(value)} in it, found it otherwise`,
    french: `contenu ${quote(value)} attendu, autre contenu trouvé`,
  }),
  minValue: (value: unknown): Texts => ({
    text: `expected a value not below ${quote(value)}`,
    french: `valeur non inférieure à ${quote(value)} attendue`,
  }),
  maxValue: (value: unknown): Texts => ({
    text: `expected a value not above ${quote(value)}`,
    french: `valeur non supérieure à ${quote(value)} attendue`,
  }),
  maxLength: (length: number): Texts => ({
    text: `expected a text of at most ${length} characters, found a longer one`,
    french: `texte de ${length} caractères au plus attendu, texte plus long trouvé`,
  }),
  binding: (valueSet: string): Texts => ({
    text: `expected a code of ${valueSet} (required binding), found another code, or none`,
    french: `code de ${valueSet} attendu (liaison obligatoire), autre code ou aucun trouvé`,
  }),
  extensible: (valueSet: string): Texts => ({
    text: `expected a code of ${valueSet} where it has one that fits (extensible binding), found another code`,
    french: `code de ${valueSet} attendu s'il en existe un qui convient (liaison extensible), autre code trouvé`,
  }),
  unknownBinding: (valueSet: string): Texts => ({
    text: `whether the code is one of ${valueSet} (required binding) is not known: it has no code system, or one that is not loaded`,
    french: `l'appartenance du code à ${valueSet} (liaison obligatoire) est inconnue : système de codes absent ou non chargé`,
  }),
  invariant: (key: string, human: string, id: string): Texts => ({
    text: `${key}: ${human || `the constraint of ${id} does not hold`}`,
    french: `${key} : la contrainte de ${id} n'est pas respectée (${human})`,
  }),
  unevaluated: (key: string): Texts => ({
    text: `${key}: the expression of this constraint cannot be evaluated here`,
    french: `${key} : l'expression de cette contrainte ne peut être évaluée ici`,
  }),
  mustSupport: (sliceName: string | undefined): Texts => ({
    text: `this element${sliceName === undefined ? '' : ` (slice ${sliceName})`} is marked must-support, and not there`,
    french: `cet élément${sliceName === undefined ? '' : ` (tranche ${sliceName})`} est marqué must-support, et absent`,
  }),
  order: {
    text: 'expected the slices in their order, found this one behind a later one',
    french: "tranches attendues dans l'ordre, celle-ci en suit une plus tardive",
  },
  closed: {
    text: 'expected an item of one of the slices (closed slicing), found one of none',
    french: "élément de l'une des tranches attendu (découpage fermé), élément d'aucune trouvé",
  },
  atEnd: {
    text: 'expected items that belong to no slice behind all others, found this one before',
    french: 'éléments hors tranche attendus après tous les autres, celui-ci est avant',
  },
  profileUnknown: (canonical: string): Texts => ({
    text: `the profile ${canonical} is not loaded: conformance to it was not checked`,
    french: `le profil ${canonical} n'est pas chargé : la conformité n'a pas été vérifiée`,
  }),
  profileUnfit: (canonical: string, type: string): Texts => ({
    text: `the profile ${canonical} is for ${type}, found another type of resource`,
    french: `le profil ${canonical} vaut pour ${type}, autre type de ressource trouvé`,
  }),
  profileMissing: (canonical: string): Texts => ({
    text: `this server requires the profile ${canonical} of resources of this type, and has not loaded it`,
    french: `ce serveur exige le profil ${canonical} pour les ressources de ce type, sans l'avoir chargé`,
  }),
  extensionContext: (url: string): Texts => ({
    text: `the extension ${url} is not meant for this element`,
    french: `l'extension ${url} n'est pas prévue pour cet élément`,
  }),
  extensionName: {
    text: 'expected the absolute URL of an extension, found a name, as only parts of an extension have',
    french: "URL absolue d'une extension attendue, simple nom trouvé, réservé aux parties d'une extension",
  },
  extensionPart: (canonical: string): Texts => ({
    text: `expected one of the parts that the extension ${canonical} has, found another`,
    french: `partie définie par l'extension ${canonical} attendue, autre partie trouvée`,
  }),
  modifier: (url: string): Texts => ({
    text: `the extension ${url} changes the meaning: expected it in modifierExtension`,
    french: `l'extension ${url} modifie le sens : attendue dans modifierExtension`,
  }),
  noModifier: (url: string): Texts => ({
    text: `the extension ${url} does not change the meaning: expected it in extension`,
    french: `l'extension ${url} ne modifie pas le sens : attendue dans extension`,
  }),
  unknownModifier: {
    text: 'an extension that changes the meaning is not known here',
    french: 'une extension qui modifie le sens est inconnue ici',
  },
} as const;
