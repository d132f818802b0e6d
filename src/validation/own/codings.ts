/**
 * Codes and the systems that they, and identifiers, are of.
 *
 * A code system, or the system of an identifier, is named absolutely (https://hl7.org/fhir/R4/datatypes.html#Coding). An
 * OID without `urn:oid:` is met in real messages, and its meaning is not in doubt (searches take it for the same): that is
 * a warning only.
 *
 * A code that a complete code system does not have means nothing. Systems of FHIR itself are fixed with the version of the
 * standard: an error. Others, those of terminology.hl7.org too, go on after the edition that is loaded: a warning.
 */
import { isObject } from '../../fhir/index.ts';
import { type Item } from '../profiles/items.ts';
import { addFault, type ProfileJudge } from '../profiles/judge.ts';
import type { Run } from '../profiles/run.ts';
import { ownTexts } from './texts.ts';

const isAbsolute = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const bareOid = /^[0-2](?:\.\d+){2,}$/;
const [letterH, letterU] = [104, 117] as const;

export function judgeSystem(_judge: ProfileJudge, item: Item, run: Run): void {
  const system = isObject(item.value) ? item.value['system'] : undefined;
  if (typeof system !== 'string') return;
  // `http:` and `urn:` are nearly all there is.
  const first = system.charCodeAt(0);
  const isPlain = (first === letterH && system.startsWith('http')) || (first === letterU && system.startsWith('urn:'));
  if (isPlain || isAbsolute.test(system)) return;
  const severity = bareOid.test(system) ? 'warning' : 'error';
  addFault(run, item, { severity, code: 'value', ...ownTexts.systemRelative });
}

const uriSystem = 'urn:ietf:rfc:3986';

/**
 * What is said to be a URI begins with a scheme (https://hl7.org/fhir/R4/datatypes.html#Identifier). Official examples have
 * bare OIDs there: a warning.
 */
export function judgeUriIdentifier(_judge: ProfileJudge, item: Item, run: Run): void {
  if (!isObject(item.value)) return;
  const { system, value } = item.value;
  if (system === uriSystem && typeof value === 'string' && !isAbsolute.test(value))
    addFault(run, item, { severity: 'warning', code: 'value', ...ownTexts.uriIdentifier });
}

const ofFhir = 'http://hl7.org/fhir/';

export function judgeCode(judge: ProfileJudge, item: Item, run: Run): void {
  if (!isObject(item.value)) return;
  const { system, code, version } = item.value;
  if (typeof system !== 'string' || typeof code !== 'string') return;
  const known = judge.codeSystem(typeof version === 'string' ? `${system}|${version}` : system);
  if (known === undefined) return;
  if (known.isSupplement)
    addFault(run, item, { severity: 'error', code: 'code-invalid', ...ownTexts.supplementSystem });
  else if (known.lacks(code)) {
    const severity = system.startsWith(ofFhir) ? 'error' : 'warning';
    addFault(run, item, { severity, code: 'code-invalid', ...ownTexts.codeUnknown(system) });
  }
}
