/** Bytes <-> plain trees of the formats that letters come in. Knows no FHIR, does no input or output. */
export { decodeBase64 } from './base64.ts';
export * from './cda/index.ts';
export {
  componentOf,
  isEmptied,
  type Hl7Limits,
  type Hl7Message,
  type Hl7Result,
  type Hl7Segment,
  parseHl7,
  readHeader,
  repetitionsOf,
  segmentsOf,
  valueOf,
} from './hl7v2.ts';
export { type DeliveryReport, readDeliveryReport } from './delivery-report.ts';
export {
  boundaryOf,
  type MailLimits,
  type MailMessage,
  type MailPart,
  type MailResult,
  readMail,
} from './mail.ts';
export { acknowledge, type Acknowledgement, escapeHl7, type Hl7Error } from './hl7v2-ack.ts';
export { isMailbox, type MailAttachment, type MailToWrite, writeMail } from './letter-mail.ts';
export { escapeXml } from './xml-write.ts';
export type { XdmEntry } from './xdm-entry.ts';
export { readXdm, type XdmDocument, type XdmResult } from './xdm.ts';
export type { XdmDocumentToWrite, XdmSubmission } from './xdm-metadata.ts';
export { writeXdm, type XdmToWrite } from './xdm-write.ts';
export type { XdsAuthor, XdsCode } from './xds.ts';
export { readZip, type ZipEntry, type ZipLimits, type ZipResult } from './zip.ts';
export { parseXml, type XmlLimits, type XmlResult } from './xml.ts';
export type { XmlEncoding } from './xml-encoding.ts';
export {
  attribute,
  child,
  children,
  isElement,
  rawText,
  textOf,
  type XmlElement,
  type XmlNode,
  xpath,
} from './xml-tree.ts';
