/** The build steps behind `npm run build`, after tsc: what is computed once from the published definitions. */
import { buildConformance, conformanceFiles } from './packages/build/conformance.ts';
import { buildDefinitions } from './fhir/build/definitions.ts';
import { readPublished, readSource } from './fhir/build/source.ts';
import { loadDefinitions } from './fhir/index.ts';
import { buildValidators } from './validation/build/validators.ts';

buildDefinitions(readSource());
buildConformance(readPublished(...conformanceFiles));
buildValidators(loadDefinitions());
