/** All situations of the model, each with the rules whose breaks it can bring about. */
import type { World } from '../world.ts';
import { cancelledSession, lateAppointment, missed } from './appointments.ts';
import { biopsy, confirmed, firstPrescription, imaging, referral, suspectResult } from './cancer.ts';
import { bounced, identity, plan, team } from './coordination.ts';
import { advice, support, vulnerable } from './exchanges.ts';
import { oralTreatment, treated } from './medicines.ts';
import { activities, monitored } from './plans.ts';
import { discharge, homeCare, leftAlone, readmission, surgery, toxicity } from './stays.ts';

export interface Situation {
  readonly rules: readonly string[];
  readonly tell: (world: World) => void;
}

export const situations: readonly Situation[] = [
  { rules: ['RUP-20', 'RUP-21', 'RUP-23'], tell: discharge },
  { rules: ['RUP-33'], tell: team },
  { rules: ['RUP-34'], tell: bounced },
  { rules: ['RUP-38'], tell: identity },
  { rules: ['RUP-01', 'RUP-06'], tell: referral },
  { rules: ['RUP-03'], tell: imaging },
  { rules: ['RUP-04'], tell: suspectResult },
  { rules: ['RUP-05'], tell: biopsy },
  { rules: ['RUP-07', 'RUP-08', 'RUP-09', 'RUP-11', 'RUP-12', 'RUP-13', 'RUP-31'], tell: confirmed },
  { rules: ['RUP-14', 'RUP-15', 'RUP-30'], tell: plan },
  { rules: ['RUP-16'], tell: firstPrescription },
  { rules: ['RUP-22'], tell: surgery },
  { rules: ['RUP-24'], tell: homeCare },
  { rules: ['RUP-20', 'RUP-21', 'RUP-23', 'RUP-25'], tell: readmission },
  { rules: ['RUP-26'], tell: leftAlone },
  { rules: ['RUP-27'], tell: toxicity },
  { rules: ['RUP-01', 'RUP-02', 'RUP-06'], tell: lateAppointment },
  { rules: ['RUP-19'], tell: cancelledSession },
  { rules: ['RUP-29'], tell: missed },
  { rules: ['RUP-17', 'RUP-18'], tell: oralTreatment },
  { rules: ['RUP-08', 'RUP-10', 'RUP-11', 'RUP-13'], tell: treated },
  { rules: ['RUP-14', 'RUP-15', 'RUP-28', 'RUP-30'], tell: monitored },
  { rules: ['RUP-14', 'RUP-15', 'RUP-30', 'RUP-32'], tell: activities },
  { rules: ['RUP-35'], tell: advice },
  { rules: ['RUP-36'], tell: support },
  { rules: ['RUP-37'], tell: vulnerable },
];
