/** Random questions to a record: every search parameter of its types, with values that stand in it or nearly do. */
import type { Chance } from './chance.ts';
import {
  type AnyResource,
  type Element,
  elementsOf,
  type Parameter,
  parameterByUrl,
  parametersOf,
  tuplesOf,
} from './elements.ts';
import { base, isA, makers, valueSets } from './people.ts';
import { prefixes } from './ranges.ts';

export type Pair = readonly [name: string, value: string];

/**
 * What the standard leaves to the server, what stands on no expression, and one composite whose two components are named the wrong way
 * round (DocumentReference.relationship): not asked here.
 */
const left = new Set(['phonetic', 'relationship', '_text', '_content', '_query', '_filter', '_list', '_has', '_type']);

const escaped = (text: string): string => text.replace(/[\\,$|]/g, '\\$&');

export function parametersAsked(resourceType: string): readonly Parameter[] {
  return [...parametersOf(resourceType).values()].filter(
    ({ code, expression }) => !left.has(code) && expression !== '',
  );
}

export class Asker {
  readonly #chance: Chance;
  readonly #record: readonly AnyResource[];

  constructor(chance: Chance, record: readonly AnyResource[]) {
    this.#chance = chance;
    this.#record = record;
  }

  question(): { readonly type: string; readonly pairs: readonly Pair[] } {
    const { pick, below } = this.#chance;
    const type = pick(Object.keys(makers));
    const pairs = Array.from({ length: 1 + below(2) }, () => this.#pair(type, 0));
    return { type, pairs };
  }

  #pair(type: string, depth: number): Pair {
    const way = this.#chance.below(12);
    if (depth < 2 && way === 0) return this.#chain(type, depth);
    if (depth < 2 && way === 1) return this.#has(type, depth);
    // Parameters that yield something are asked more often: a record has few elements of each type.
    const asked = parametersAsked(type);
    const known = asked.filter((parameter) => this.#elements(type, parameter).length > 0);
    const parameter = this.#chance.pick(known.length > 0 && way > 3 ? known : asked);
    if (this.#chance.below(10) === 0 && !['_id', '_lastUpdated'].includes(parameter.code)) {
      return [`${parameter.code}:missing`, this.#chance.pick(['true', 'false'])];
    }
    const [modifier, value] = this.#asked(type, parameter);
    return [modifier === '' ? parameter.code : `${parameter.code}:${modifier}`, value];
  }

  #chain(type: string, depth: number): Pair {
    const { pick } = this.#chance;
    const references: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
      Encounter: [
        ['subject:Patient', 'Patient'],
        ['practitioner', 'Practitioner'],
        ['location', 'Location'],
      ],
      Observation: [
        ['patient', 'Patient'],
        ['encounter', 'Encounter'],
        ['performer:Practitioner', 'Practitioner'],
      ],
      Condition: [
        ['subject:Patient', 'Patient'],
        ['encounter', 'Encounter'],
      ],
      Task: [
        ['patient', 'Patient'],
        ['focus:Encounter', 'Encounter'],
        ['owner:Organization', 'Organization'],
      ],
      Patient: [
        ['organization', 'Organization'],
        ['general-practitioner:Practitioner', 'Practitioner'],
      ],
      Organization: [['partof', 'Organization']],
    };
    const known = references[type];
    if (known === undefined) return this.#pair(type, 2);
    const [name, target] = pick(known);
    const [inner, value] = this.#pair(target, depth + 1);
    return [`${name}.${inner}`, value];
  }

  #has(type: string, depth: number): Pair {
    const { pick } = this.#chance;
    const referring: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
      Patient: [
        ['Observation', 'patient'],
        ['Encounter', 'subject'],
        ['Task', 'patient'],
        ['List', 'item'],
      ],
      Practitioner: [
        ['Encounter', 'practitioner'],
        ['Observation', 'performer'],
        ['Patient', 'general-practitioner'],
      ],
      Encounter: [
        ['Observation', 'encounter'],
        ['List', 'item'],
        ['Task', 'focus'],
      ],
      Organization: [
        ['Organization', 'partof'],
        ['Patient', 'organization'],
      ],
      Location: [['Encounter', 'location']],
    };
    const known = referring[type];
    if (known === undefined) return this.#pair(type, 2);
    const [from, reference] = pick(known);
    const [inner, value] = this.#pair(from, depth + 1);
    return [`_has:${from}:${reference}:${inner}`, value];
  }

  #elements(type: string, parameter: Parameter): readonly Element[] {
    return this.#record.filter((each) => each.resourceType === type).flatMap((each) => elementsOf(each, parameter));
  }

  #asked(type: string, parameter: Parameter): Pair {
    const { pick, below } = this.#chance;
    if (parameter.type === 'composite') return ['', this.#composite(type, parameter)];
    const elements = this.#elements(type, parameter);
    const values = Array.from({ length: below(4) === 0 ? 2 : 1 }, () =>
      this.#value(parameter, elements.length === 0 ? undefined : pick(elements)),
    );
    const modifier = values[0]?.[0] ?? '';
    return [
      modifier,
      values
        .filter(([one]) => one === modifier)
        .map(([, value]) => value)
        .join(','),
    ];
  }

  #composite(type: string, parameter: Parameter): string {
    const tuples = this.#record
      .filter((each) => each.resourceType === type)
      .flatMap((each) => tuplesOf(each, parameter));
    const tuple = tuples.length === 0 ? [] : this.#chance.pick(tuples);
    // Of the same element, or by chance of two.
    const other = tuples.length > 0 && this.#chance.below(3) === 0 ? this.#chance.pick(tuples) : tuple;
    return parameter.components
      .map(({ definition }, place) => {
        const from = (place === 0 ? tuple : other)[place] ?? [];
        const component = parameterByUrl(definition);
        return this.#plain(component, from.length === 0 ? undefined : this.#chance.pick(from));
      })
      .join('$');
  }

  /** Without modifier; never `system|`, which composites do not take here. */
  #plain(parameter: Parameter, element: Element | undefined): string {
    for (let tries = 0; tries < 50; tries += 1) {
      const [modifier, value] = this.#value(parameter, element);
      if (modifier === '' && !value.endsWith('|')) return value;
    }
    return parameter.type === 'date' ? '2026' : '5';
  }

  #value(parameter: Parameter, element: Element | undefined): Pair {
    switch (parameter.type) {
      case 'string':
        return this.#string(element);
      case 'token':
        return this.#token(parameter, element);
      case 'reference':
        return this.#reference(element);
      case 'uri':
        return this.#uri(parameter, element);
      case 'number':
        return ['', this.#number(typeof element?.value === 'number' ? element.value : 5)];
      case 'quantity':
        return ['', this.#quantity(element)];
      case 'date':
        return ['', this.#date(element)];
      default:
        return [
          '',
          this.#chance.pick([
            '47.24|6.02|1|km',

            '48.85|2.35|500|m',
            '-16.5|-179.99|5|km',
            '47|6|100|[mi_i]',
          ]),
        ];
    }
  }

  #string(element: Element | undefined): Pair {
    const { pick, below } = this.#chance;
    const parts = Object.values(element?.value ?? {})
      .flat()
      .filter((part) => typeof part === 'string');
    const text = typeof element?.value === 'string' ? element.value : parts.length > 0 ? pick(parts) : 'zoe';
    const cut = text.slice(0, 1 + below(text.length)).trimEnd();
    return pick<Pair>([
      ['', cut],
      ['', cut.toUpperCase()],
      ['exact', text],
      ['exact', cut],
      ['contains', text.slice(below(text.length)).trimStart() || text],
    ]);
  }

  #token(parameter: Parameter, element: Element | undefined): Pair {
    const { pick } = this.#chance;
    if (element === undefined) return ['', 'true'];
    const { type, value } = element;
    const isCoded = type === 'Coding' || type === 'CodeableConcept';
    if (!isCoded && type !== 'Identifier')
      return [parameter.code === '_id' ? '' : pick(['', 'not']), String(value.value ?? value)];
    const codings =
      type === 'CodeableConcept'
        ? (value.coding ?? [])
        : [type === 'Identifier' ? { system: value.system, code: value.value } : value];
    const { system = '', code = 'a' } = codings.length === 0 ? {} : pick(codings as AnyResource[]);
    const forms: Pair[] = [
      ['', escaped(code)],
      ['', `|${escaped(code)}`],
      ...(system === ''
        ? []
        : ([
            ['', `${system}|${escaped(code)}`],
            ['', `${system}|`],
            ['not', `${system}|${escaped(code)}`],
          ] as const)),
      ['not', escaped(code)],
    ];
    if (type === 'Identifier') {
      const kind = value.type?.coding?.[0];
      return pick(
        kind === undefined ? forms : [...forms, ['of-type', `${kind.system}|${kind.code}|${code}`], ['text', 'numé']],
      );
    }
    const label = value.text ?? value.display ?? codings[0]?.display ?? 'tension';
    const expanded: Pair[] = [
      ['in', pick(Object.keys(valueSets))],
      ['not-in', pick(Object.keys(valueSets))],
      [pick(['below', 'above']), pick([...Object.keys(isA), ...Object.values(isA)])],
    ];
    return pick([...forms, ...(parameter.code === '_tag' ? [] : [['text', label.slice(0, 5)] as const]), ...expanded]);
  }

  #reference(element: Element | undefined): Pair {
    const { pick } = this.#chance;
    const { value } = element ?? { value: { reference: 'Patient/1' } };
    if (typeof value === 'string') return ['', escaped(value)];
    if (value.reference === undefined && value.identifier === undefined) return ['', 'Patient/1'];
    if (value.reference === undefined) {
      const { system, value: code } = value.identifier;
      return ['identifier', system === undefined ? code : `${system}|${code}`];
    }
    const parts = String(value.reference).replace(`${base}/`, '');
    const [type = '', id = ''] = parts.split('/');
    if (parts.startsWith('http')) return ['', parts];
    return pick<Pair>([
      ['', `${type}/${id}`],
      ['', id],
      ['', `${base}/${type}/${id}`],
      ['', parts],
      [type, id],
    ]);
  }

  #uri(parameter: Parameter, element: Element | undefined): Pair {
    const { pick, below } = this.#chance;
    const uri = String(element?.value ?? 'http://a.example/p');
    if (parameter.code.startsWith('_')) return ['', uri];
    return pick<Pair>([
      ['', uri],
      ['below', uri.slice(0, 8 + below(uri.length))],
      ['above', uri + pick(['', '/', '/_history/5'])],
    ]);
  }

  #number(value: number): string {
    const { pick, below } = this.#chance;
    const near = value + pick([0, 0, 0, 0.4, -0.5, 1]);
    const text = below(2) === 0 ? String(Number(near.toPrecision(6))) : near.toFixed(below(3));
    return pick(['', '', ...prefixes]) + text;
  }

  #quantity(element: Element | undefined): string {
    const { pick } = this.#chance;
    const { value = 5, system, code, unit, currency } = element?.value ?? {};
    const ucum = 'http://unitsofmeasure.org';
    const forms = [
      this.#number(value),
      ...(code === undefined ? [] : [`${this.#number(value)}|${system}|${code}`, `${this.#number(value)}||${code}`]),
      ...(unit === undefined ? [] : [`${this.#number(value)}||${unit}`]),
      ...(currency === undefined ? [] : [`${this.#number(value)}|urn:iso:std:iso:4217|${currency}`]),
      ...(code === 'mg' ? [`${this.#number(value / 1000)}|${ucum}|g`] : []),
      ...(code === 'g' ? [`${this.#number(value * 1000)}|${ucum}|mg`] : []),
      ...(code === 'h' ? [`${this.#number(value * 60)}|${ucum}|min`] : []),
    ];
    return pick(forms);
  }

  /** `ap` with dates is the server's to choose. */
  #date(element: Element | undefined): string {
    const { pick, below } = this.#chance;
    const { value } = element ?? { value: '2026-01-01' };
    const texts: readonly string[] =
      typeof value === 'string'
        ? [value]
        : [value.start, value.end, ...(value.event ?? [])].filter((one) => one !== undefined);
    const text = texts.length === 0 ? '2026-01' : pick(texts);
    const cut = below(3) === 0 ? text.slice(0, pick([4, 7, 10])) : text;
    return pick(['', ...prefixes.filter((prefix) => prefix !== 'ap')]) + cut;
  }
}
