/** DocumentReference/[id]/$xdm: the document as an IHE XDM archive, which $ingest takes back. */
import { describeArchive, oidOfUuid, type OutgoingDocument, uuidOf } from '../documents/index.ts';
import { writeXdm } from '../formats/index.ts';
import type { Context, Operation } from '../interactions/index.ts';
import { loadDocument } from './load.ts';

export const xdmOperation: Operation = {
  name: 'xdm',
  type: 'DocumentReference',
  level: 'instance',
  methods: ['GET'],
  takesBytes: true,
  documentation: 'The document as an IHE XDM archive (zip) with its metadata.',
  async run(context, request) {
    const archive = await archiveOf(context, await loadDocument(context, request), context.clock.now());
    return {
      status: 200,
      bytes: { contentType: 'application/zip', content: archive },
      headers: { 'content-disposition': 'attachment; filename="IHE_XDM.zip"' },
    };
  },
};

export function archiveOf(context: Context, document: OutgoingDocument, nowMs: number): Promise<Buffer> {
  const { baseUrl, softwareVersion } = context;
  const software = `Suture ${softwareVersion}`;
  const sourceId = oidOfUuid(uuidOf(`source ${baseUrl}`));
  return writeXdm(describeArchive([document], { software, sourceId, baseUrl, nowMs }));
}
