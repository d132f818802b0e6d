/** Documents to and from other systems: archives, mail, the DMP; IHE MHD operations; summaries. */
import type { Operation } from '../interactions/index.ts';
import type { Work } from '../queue/index.ts';
import { documentOperations } from './document.ts';
import { generateMetadataOperation } from './generate-metadata.ts';
import { createMssanteWork, mssanteOperation, type MssanteSettings, type SendingInput } from './mssante.ts';
import { createPublishWork, publishOperation, type PublishSettings } from './publish.ts';
import { xdmOperation } from './xdm.ts';

export type BridgeSettings = MssanteSettings & PublishSettings;
export type { SendingInput } from './mssante.ts';

/** `ingest`: the operation that takes letters. */
export function bridgeOperations(settings: BridgeSettings, ingest: Operation): readonly Operation[] {
  return [
    xdmOperation,
    mssanteOperation(settings),
    publishOperation(settings),
    generateMetadataOperation(ingest),
    ...documentOperations(settings),
  ];
}

/** The durable jobs of what is sent. */
export function createBridgeWorks(settings: BridgeSettings, input: SendingInput): readonly Work[] {
  return [createMssanteWork(settings, input), createPublishWork(settings, input)];
}
