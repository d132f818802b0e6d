/** The part that $validate-code of value sets and of code systems share: code, coding or codeableConcept in, result out. */
import { Problem } from '../base/index.ts';
import type { Membership, Terminology } from '../terminology/index.ts';
import type { Answer } from './context.ts';
import type { OperationInput } from './operation-input.ts';

interface Asked {
  readonly system: string | undefined;
  readonly code: string;
  readonly display: string | undefined;
}

type Has = (system: string | undefined, code: string) => Membership;

interface Found extends Asked {
  readonly membership: Membership;
}

/** `system`: of a bare code, where the request does not say it. */
export function validateCode(terminology: Terminology, input: OperationInput, has: Has, system?: string): Answer {
  const found = readAsked(input, system).map((one) => ({ ...one, membership: has(one.system, one.code) }));
  const best = chooseBest(found);
  const display = best?.system === undefined ? undefined : terminology.lookup(best.system, best.code)?.display;
  const message = messageOf(best, display);
  const parameter = [
    { name: 'result', valueBoolean: best?.membership === 'in' },
    ...(message === undefined ? [] : [{ name: 'message', valueString: message }]),
    ...(display === undefined ? [] : [{ name: 'display', valueString: display }]),
  ];
  return { status: 200, body: JSON.stringify({ resourceType: 'Parameters', parameter }) };
}

/** One coding that is in is enough. */
function chooseBest(found: readonly Found[]): Found | undefined {
  const order: readonly Membership[] = ['in', 'unknown', 'out'];
  return order.map((one) => found.find(({ membership }) => membership === one)).find((one) => one !== undefined);
}

function messageOf(best: Found | undefined, display: string | undefined): string | undefined {
  const isOther = best?.display !== undefined && display !== undefined && best.display !== display;
  if (best?.membership === 'in') return isOther ? 'the display is another than that of the code system' : undefined;
  return messages[best?.membership ?? 'out'];
}

const messages: Readonly<Record<Membership, string | undefined>> = {
  in: undefined,
  out: 'the code is not among them',
  unknown: 'whether the code is among them is not known: its code system is not loaded, or it has none',
};

function readAsked(input: OperationInput, system: string | undefined): readonly Asked[] {
  const concept = input.value('codeableConcept');
  const coding = input.value('coding');
  if (concept !== undefined && Array.isArray(concept['coding'])) return concept['coding'].flatMap(readCoding);
  if (coding !== undefined) return readCoding(coding);
  const code = input.text('code');
  if (code === undefined) throw new Problem('incorrect', 'expected code, coding or codeableConcept');
  return [{ code, system: input.text('system') ?? system, display: input.text('display') }];
}

function readCoding(coding: unknown): readonly Asked[] {
  const { system, code, display } = (coding ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof code !== 'string') return [];
  return [
    {
      code,
      system: typeof system === 'string' ? system : undefined,
      display: typeof display === 'string' ? display : undefined,
    },
  ];
}
