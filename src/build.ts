/** The build steps behind `npm run build`, after tsc: what is computed once from the published definitions. */
import { buildDefinitions } from './fhir/build/definitions.ts';
import { readSource } from './fhir/build/source.ts';

const source = readSource();
buildDefinitions(source);
