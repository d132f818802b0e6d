/**
 * What a Consent (https://hl7.org/fhir/R4/consent.html) says about access: whom the patient refuses, whom he admits. Read at its
 * strictest: a refusal limited to some of the record counts for all of it, one that names nobody counts for everybody.
 */
import type { Resource } from '../fhir/index.ts';
import { always, groundOf, listOf, type Reading, type Relation } from './reading.ts';

interface Provision {
  readonly type?: unknown;
  readonly period?: unknown;
  readonly actor?: unknown;
  readonly purpose?: unknown;
  readonly provision?: unknown;
}

/** Purposes of use (v3-ActReason) of care, and of emergencies alone; all others are none of ours. */
const ofCare: ReadonlySet<string> = new Set(['TREAT', 'TREATDS', 'CAREMGT', 'COC', 'HPAYMT', 'HOPERAT', 'PATADMIN']);
const ofEmergency: ReadonlySet<string> = new Set(['ETREAT', 'BTG']);

const depthMax = 5;

export function readObjections(reading: Reading, consent: Resource): readonly Relation[] {
  const patient = reading.patient(consent['patient']);
  if (consent['status'] !== 'active' || patient === undefined || isOfResearch(consent)) return [];
  const found: Relation[] = [];
  const walk = (provision: Provision | undefined, depth: number): void => {
    if (provision === undefined || depth > depthMax) return;
    found.push(...ofProvision(reading, patient, provision));
    for (const inner of listOf(provision.provision)) walk(inner as Provision, depth + 1);
  };
  walk(consent['provision'] as Provision | undefined, 1);
  return found;
}

function isOfResearch({ scope }: Resource): boolean {
  const codes = listOf((scope as { coding?: unknown } | undefined)?.coding).map(
    (one) => (one as { code?: unknown }).code,
  );
  return codes.length > 0 && codes.every((code) => code === 'research');
}

function ofProvision(reading: Reading, patient: string, provision: Provision): readonly Relation[] {
  const range = reading.within(always, provision.period);
  const ground = groundOfProvision(provision);
  if (range === undefined || ground === undefined) return [];
  return actorsOf(reading, provision, ground).map((who) => ({
    patient,
    who,
    ground: ground === 'consent' ? groundOf(ground, who) : ground,
    ...range,
  }));
}

function groundOfProvision({ type, purpose }: Provision): 'objection' | 'emergency-objection' | 'consent' | undefined {
  const codes = listOf(purpose).map((one) => String((one as { code?: unknown }).code));
  const isAny = codes.length === 0 || codes.some((code) => ofCare.has(code));
  if (type === 'permit') return isAny ? 'consent' : undefined;
  if (type !== 'deny') return undefined;
  if (isAny) return 'objection';
  return codes.some((code) => ofEmergency.has(code)) ? 'emergency-objection' : undefined;
}

/** A refusal of somebody who cannot be told is a refusal of everybody; who is admitted must be told. */
function actorsOf(reading: Reading, { actor }: Provision, ground: string): readonly string[] {
  const actors = listOf(actor).map((one) => reading.who((one as { reference?: unknown }).reference));
  if (ground === 'consent') return actors.filter((who) => who !== undefined);
  return actors.length === 0 || actors.includes(undefined) ? ['*'] : actors.filter((who) => who !== undefined);
}
