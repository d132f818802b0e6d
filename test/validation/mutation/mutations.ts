/** One random change of a resource, of the kinds that cardinalities and types speak of. */
type Node = Record<string, unknown> | unknown[];

export type Random = () => number;

/** Small and repeatable (Park and Miller). */
export function createRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

interface Place {
  readonly parent: Node;
  readonly key: string | number;
}

export function mutate(resource: object, random: Random): { readonly resource: object; readonly told: string } {
  const copy = structuredClone(resource) as Record<string, unknown>;
  const places = placesIn(copy);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const place = pick(places);
  const [name, change] = pick(Object.entries(changes));
  change(place, { random, pick, places });
  return { resource: copy, told: `${name} at ${String(place.key)}` };
}

interface Tools {
  readonly random: Random;
  readonly pick: <T>(items: readonly T[]) => T;
  readonly places: readonly Place[];
}

const get = ({ parent, key }: Place): unknown => (parent as Record<string | number, unknown>)[key];
const set = ({ parent, key }: Place, value: unknown): void => {
  (parent as Record<string | number, unknown>)[key] = value;
};
const remove = ({ parent, key }: Place): void => {
  if (Array.isArray(parent)) parent.splice(key as number, 1);
  else delete parent[key];
};

const otherValues = ['text', '', '2026-02-30x', 5, -1, 1.5, true, null, {}, [], { id: 'x' }, ['x'], [null]];

const changes: Readonly<Record<string, (place: Place, tools: Tools) => void>> = {
  remove,
  'another value': (place, { pick }) => {
    set(place, structuredClone(pick(otherValues)));
  },
  'in a list': (place) => {
    set(place, [get(place)]);
  },
  'out of its list': (place) => {
    const value = get(place);
    set(place, Array.isArray(value) ? (value[0] as unknown) : value);
  },
  twice: ({ parent, key }) => {
    if (Array.isArray(parent)) parent.push(structuredClone(parent[key as number]));
    else parent[`${key}2`] = structuredClone(parent[key]);
  },
  'under another name': (place, { pick, places }) => {
    const name = pick(places.filter(({ parent }) => !Array.isArray(parent))).key;
    if (Array.isArray(place.parent)) return;
    const value = get(place);
    remove(place);
    place.parent[name] = value;
  },
  'as another type of the choice': (place) => {
    if (Array.isArray(place.parent) || typeof place.key !== 'string') return;
    const renamed = place.key.replace(/(Quantity|DateTime|Boolean|String|Period|Duration|CodeableConcept)$/, 'Integer');
    const value = get(place);
    remove(place);
    place.parent[renamed] = value;
  },
  'what stands elsewhere': (place, { pick, places }) => {
    set(place, structuredClone(get(pick(places))));
  },
};

/** Members and items at any depth; the type of a resource and its narrative's text stay as they are. */
function placesIn(node: Node): Place[] {
  const keys = Array.isArray(node) ? node.map((_item, index) => index) : Object.keys(node);
  return keys
    .filter((key) => key !== 'resourceType' && key !== 'div')
    .flatMap((key) => {
      const place = { parent: node, key };
      const value = get(place);
      return typeof value === 'object' && value !== null ? [place, ...placesIn(value as Node)] : [place];
    });
}
