/** Invariants of Bundle and Parameters, https://hl7.org/fhir/R4/bundle.html#invs. */
import type { Members } from '../../fhir/index.ts';
import { type Check, has, hasChoice, itemsIn, objectIn } from './members.ts';

export const bundleInvariants: Readonly<Record<string, Check>> = {
  'Bundle bdl-1': (bundle) => !has(bundle, 'total') || isOf(bundle, 'searchset', 'history'),
  'Bundle bdl-2': (bundle) =>
    isOf(bundle, 'searchset') || !itemsIn(bundle, 'entry').some((entry) => has(entry, 'search')),
  'Bundle bdl-3': (bundle) => all(bundle, 'request', isOf(bundle, 'batch', 'transaction', 'history')),
  'Bundle bdl-4': (bundle) =>
    all(bundle, 'response', isOf(bundle, 'batch-response', 'transaction-response', 'history')),
  'Bundle bdl-7': (bundle) => isOf(bundle, 'history') || isDistinct(bundle),
  'Bundle bdl-9': (bundle) => {
    const identifier = objectIn(bundle, 'identifier');
    return !isOf(bundle, 'document') || (has(identifier, 'system') && has(identifier, 'value'));
  },
  'Bundle bdl-10': (bundle) => !isOf(bundle, 'document') || bundle['timestamp'] !== undefined,
  'Bundle bdl-11': (bundle) => !isOf(bundle, 'document') || firstType(bundle) === 'Composition',
  'Bundle bdl-12': (bundle) => !isOf(bundle, 'message') || firstType(bundle) === 'MessageHeader',
  'Bundle.entry bdl-5': (entry) => has(entry, 'resource') || has(entry, 'request') || has(entry, 'response'),
  'Bundle.entry bdl-8': ({ fullUrl }) => typeof fullUrl !== 'string' || !fullUrl.includes('/_history/'),
  'Parameters.parameter inv-1': (parameter) => {
    const holders = [has(parameter, 'part'), hasChoice(parameter, 'value'), has(parameter, 'resource')];
    return holders.filter(Boolean).length === 1;
  },
};

function isOf(bundle: Members, ...types: readonly string[]): boolean {
  return types.includes(bundle['type'] as string);
}

/** Every entry has the part, or none has. */
function all(bundle: Members, name: string, isExpected: boolean): boolean {
  return itemsIn(bundle, 'entry').every((entry) => has(entry, name) === isExpected);
}

function isDistinct(bundle: Members): boolean {
  const keys = itemsIn(bundle, 'entry').flatMap((entry) => {
    const { versionId } = objectIn(objectIn(entry, 'resource'), 'meta');
    return typeof entry['fullUrl'] === 'string'
      ? [`${entry['fullUrl']} ${typeof versionId === 'string' ? versionId : ''}`]
      : [];
  });
  return new Set(keys).size === keys.length;
}

function firstType(bundle: Members): unknown {
  const first = itemsIn(bundle, 'entry')[0];
  return first === undefined ? undefined : objectIn(first, 'resource')['resourceType'];
}
