/**
 * Bindings (https://hl7.org/fhir/R4/terminologies.html#strength). Required: a code of the value set, else an error.
 * Extensible: another code, or text, is allowed where no code of the value set says it; that is a warning. What cannot
 * be known, because a code system is not loaded, is a warning for a required binding and nothing for an extensible one.
 */
import { isObject } from '../../fhir/index.ts';
import type { ProfileBinding } from './element.ts';
import { type Item } from './items.ts';
import type { ProfileFault } from './run.ts';
import { faultTexts } from './texts.ts';

export interface BindingTerms {
  member(valueSet: string, system: string | undefined, code: string): 'in' | 'out' | 'unknown';
  /** Whether the code is one of its system. */
  knows(system: string, code: string): 'in' | 'out' | 'unknown';
}

type BindingFault = Omit<ProfileFault, 'pointer' | 'profile'>;

type Membership = Pick<BindingTerms, 'member'>;

export function judgeBinding(terms: Membership, item: Item, binding: ProfileBinding): BindingFault | undefined {
  const found = membershipOf(terms, item, binding.valueSet);
  if (found === 'in' || found === 'excused') return undefined;
  const isRequired = binding.strength === 'required';
  if (found === 'unknown')
    return isRequired
      ? { severity: 'warning', code: 'not-supported', ...faultTexts.unknownBinding(binding.valueSet) }
      : undefined;
  if (!isRequired && found === 'absent') return undefined;
  return isRequired
    ? { severity: 'error', code: 'code-invalid', ...faultTexts.binding(binding.valueSet) }
    : { severity: 'warning', code: 'code-invalid', ...faultTexts.extensible(binding.valueSet) };
}

/** `excused`: an extension says why there is no code; `absent`: text alone. */
type Found = 'in' | 'out' | 'unknown' | 'absent' | 'excused';

function membershipOf(terms: Membership, { value, beside, type }: Item, valueSet: string): Found {
  if (typeof value === 'string') return terms.member(valueSet, undefined, value);
  if (value === undefined) return isObject(beside) ? 'excused' : 'absent';
  if (!isObject(value)) return 'excused';
  if (type === 'CodeableConcept') return membershipOfConcept(terms, value, valueSet);
  return type === 'Coding' || type === 'Quantity' ? membershipOfCoding(terms, value, valueSet) : 'excused';
}

type Data = Readonly<Record<string, unknown>>;

function membershipOfCoding(terms: Membership, { code, system, extension }: Data, valueSet: string): Found {
  if (typeof code !== 'string') return extension === undefined ? 'absent' : 'excused';
  // Without its system a code means nothing: as the HL7 validator, that is no more than a warning.
  if (typeof system !== 'string') return 'unknown';
  return terms.member(valueSet, system, code);
}

function membershipOfConcept(terms: Membership, { coding, extension }: Data, valueSet: string): Found {
  const codings = Array.isArray(coding) ? coding.filter(isObject) : [];
  if (codings.length === 0) return extension === undefined ? 'absent' : 'excused';
  const found = codings.map((one) => membershipOfCoding(terms, one, valueSet));
  for (const best of ['in', 'excused', 'unknown', 'out'] as const) if (found.includes(best)) return best;
  return 'absent';
}
