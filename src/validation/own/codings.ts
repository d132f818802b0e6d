/**
 * A code system, or the system of an identifier, is named absolutely (https://hl7.org/fhir/R4/datatypes.html#Coding). An
 * OID without `urn:oid:` is met in real messages, and its meaning is not in doubt (searches take it for the same): that is
 * a warning only.
 */
import { isObject, type Item } from '../profiles/items.ts';
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
