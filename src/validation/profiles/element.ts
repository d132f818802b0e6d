/** What a profile says of one element, and of those below it, as read from its StructureDefinition. */
export interface ProfileElement {
  readonly id: string;
  /** Without `[x]` and without the slice. */
  readonly name: string;
  readonly sliceName: string | undefined;
  min: number | undefined;
  /** `Infinity` for `*`. */
  max: number | undefined;
  types: readonly ProfileType[] | undefined;
  /** The whole value, and the least that it holds. */
  fixed: unknown;
  pattern: unknown;
  minValue: unknown;
  maxValue: unknown;
  maxLength: number | undefined;
  binding: ProfileBinding | undefined;
  constraints: readonly ProfileConstraint[];
  mustSupport: boolean;
  isModifier: boolean;
  slicing: Slicing | undefined;
  readonly children: Map<string, ProfileElement>;
  readonly slices: ProfileElement[];
}

export interface ProfileType {
  readonly code: string;
  readonly profile?: readonly string[];
  readonly targetProfile?: readonly string[];
  readonly aggregation?: readonly string[];
}

export interface ProfileBinding {
  readonly strength: string;
  readonly valueSet: string;
}

export interface ProfileConstraint {
  readonly key: string;
  readonly severity: 'error' | 'warning';
  readonly human: string;
  readonly expression: string;
  readonly source: string | undefined;
}

export interface Slicing {
  readonly discriminators: readonly Discriminator[];
  readonly rules: 'open' | 'closed' | 'openAtEnd';
  readonly isOrdered: boolean;
}

export interface Discriminator {
  readonly type: 'value' | 'exists' | 'pattern' | 'type' | 'profile';
  readonly path: string;
}

/** `_profile` may say that an element of the profile is meant, a kind of section, say. */
interface SourceType extends ProfileType {
  readonly _profile?: readonly ({ readonly extension?: readonly Part[] } | null)[];
}

interface Part {
  readonly url?: string;
  readonly valueString?: string;
}

/** An element as JSON has it. */
export interface SourceElement {
  readonly id?: string;
  readonly path?: string;
  readonly sliceName?: string;
  readonly min?: number;
  readonly max?: string;
  readonly type?: readonly SourceType[];
  readonly binding?: { readonly strength?: string; readonly valueSet?: string };
  readonly constraint?: readonly Partial<ProfileConstraint>[];
  readonly mustSupport?: boolean;
  readonly isModifier?: boolean;
  readonly maxLength?: number;
  readonly slicing?: {
    readonly discriminator?: readonly Discriminator[];
    readonly rules?: Slicing['rules'];
    readonly ordered?: boolean;
  };
}

export function makeElement(id: string, name: string, sliceName?: string): ProfileElement {
  return {
    id,
    name,
    sliceName,
    min: undefined,
    max: undefined,
    types: undefined,
    fixed: undefined,
    pattern: undefined,
    minValue: undefined,
    maxValue: undefined,
    maxLength: undefined,
    binding: undefined,
    constraints: [],
    mustSupport: false,
    isModifier: false,
    slicing: undefined,
    children: new Map(),
    slices: [],
  };
}

/** What the source says takes the place of what stood there; constraints are added, must-support stays. */
export function applySource(element: ProfileElement, source: SourceElement): void {
  if (source.min !== undefined) element.min = source.min;
  if (source.max !== undefined) element.max = source.max === '*' ? Infinity : Number(source.max);
  if (source.type !== undefined) element.types = source.type.map(readType);
  if (source.maxLength !== undefined) element.maxLength = source.maxLength;
  element.mustSupport ||= source.mustSupport === true;
  element.isModifier ||= source.isModifier === true;
  applyValues(element, source);
  applyBinding(element, source);
  applyConstraints(element, source);
  applySlicing(element, source);
}

const profileElement = 'http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element';

/** `profile|version#Composition.section:medication` where an element of the profile is meant. */
function readType({ _profile: besides, ...type }: SourceType): ProfileType {
  if (besides === undefined || type.profile === undefined) return type;
  const profile = type.profile.map((canonical, index) => {
    const parts = besides[index]?.extension ?? [];
    const id = parts.find(({ url }) => url === profileElement)?.valueString;
    return id === undefined ? canonical : `${canonical}#${id}`;
  });
  return { ...type, profile };
}

function applyValues(element: ProfileElement, source: SourceElement): void {
  for (const [name, value] of Object.entries(source)) {
    const kind = /^(fixed|pattern|minValue|maxValue)[A-Z]/.exec(name)?.[1];
    if (kind !== undefined) element[kind as 'fixed'] = value;
  }
}

function applyBinding(element: ProfileElement, { binding }: SourceElement): void {
  if (binding?.strength === undefined || binding.valueSet === undefined) return;
  element.binding = { strength: binding.strength, valueSet: binding.valueSet };
}

function applyConstraints(element: ProfileElement, { constraint = [] }: SourceElement): void {
  const known = new Set(element.constraints.map(({ key }) => key));
  const added = constraint.flatMap(({ key, severity, human = '', expression, source }): ProfileConstraint[] =>
    key === undefined || expression === undefined || known.has(key)
      ? []
      : [{ key, severity: severity === 'warning' ? severity : 'error', human, expression, source }],
  );
  if (added.length > 0) element.constraints = [...element.constraints, ...added];
}

function applySlicing(element: ProfileElement, { slicing }: SourceElement): void {
  if (slicing === undefined) return;
  const { discriminator, rules, ordered } = slicing;
  element.slicing = {
    discriminators: discriminator ?? element.slicing?.discriminators ?? [],
    rules: rules ?? 'open',
    isOrdered: ordered === true,
  };
}
