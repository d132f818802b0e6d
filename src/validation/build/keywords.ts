/**
 * Our keywords for ajv. Each makes its check once per place in the schema, by calling the runtime
 * (`../runtime.ts`), and leaves one call in the generated code.
 */
import { _, type Ajv, type Code, type KeywordCxt, type Name, str } from 'ajv';
import names from 'ajv/dist/compile/names.js';
