/** The indicators as Measure resources (https://hl7.org/fhir/R4/measure.html), shipped as rule sets are. */
import type { Resource } from '../fhir/index.ts';
import { type Counting, groupCode, type Indicator, indicators, isProportion, strataOf } from './indicators.ts';

const base = 'https://suture.example/fhir';
const terminology = 'http://terminology.hl7.org/CodeSystem';
export const populationSystem = `${terminology}/measure-population`;

export function measureResources(): readonly Resource[] {
  return indicators.map(toMeasure);
}

function toMeasure(indicator: Indicator): Resource {
  const { id, fr, en, counting, improves, reference } = indicator;
  const [first] = counting;
  return {
    resourceType: 'Measure',
    id,
    language: 'fr',
    url: `${base}/Measure/${id}`,
    version: '1.0.0',
    name: `Ind${id.slice(-2)}`,
    title: fr,
    _title: { extension: [translation(en)] },
    status: 'active',
    date: '2026-03-01',
    publisher: 'Suture',
    ...(reference === undefined ? {} : { rationale: reference }),
    subjectCodeableConcept: { coding: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Patient' }] },
    scoring: {
      coding: [
        {
          system: `${terminology}/measure-scoring`,
          code: first && isProportion(first) ? 'proportion' : 'continuous-variable',
        },
      ],
    },
    improvementNotation: { coding: [{ system: `${terminology}/measure-improvement-notation`, code: improves }] },
    group: counting.map(toGroup),
  };
}

function translation(text: string): object {
  return {
    url: 'http://hl7.org/fhir/StructureDefinition/translation',
    extension: [
      { url: 'lang', valueCode: 'en' },
      { url: 'content', valueString: text },
    ],
  };
}

/** Populations of a group, in the order of a report. */
export function populationsOf(counting: Counting): readonly string[] {
  return isProportion(counting)
    ? ['initial-population', 'denominator', 'numerator']
    : ['initial-population', 'measure-population'];
}

/** The figures come from the engine's tables: the criteria say what is counted, they are not evaluated. */
function toGroup(counting: Counting): object {
  return {
    code: { text: groupCode(counting) },
    population: populationsOf(counting).map((code) => ({
      code: { coding: [{ system: populationSystem, code }] },
      criteria: { language: 'text/plain', expression: criteriaText(counting) },
    })),
    stratifier: strataOf(counting).map((code) => ({
      code: { text: code },
      criteria: { language: 'text/plain', expression: code },
    })),
  };
}

function criteriaText(counting: Counting): string {
  switch (counting.kind) {
    case 'share':
    case 'delay':
      return counting.rules.join(', ');
    case 'return':
      return `${counting.among}, ${counting.rule}, ${counting.days} d`;
    case 'identities':
      return 'Patient';
    case 'breaks':
      return counting.figure;
  }
}
