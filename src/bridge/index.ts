/** Documents to and from other systems: archives, mail, the DMP; IHE MHD operations; summaries. */
import type { Operation } from '../interactions/index.ts';
import { xdmOperation } from './xdm.ts';

export function bridgeOperations(): readonly Operation[] {
  return [xdmOperation];
}
