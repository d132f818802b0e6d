export { createValidator, type Expectations, type Validator, type ValidatorOptions } from './validator.ts';
