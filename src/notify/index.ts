/** Topics, matching, channels, delivery log, retries (design.md section 3). Put together in notify.ts; see follow.ts and deliver.ts. */
export { type Answers, type AskedEvents, type AskedStatus, type IssuedToken, socketPath } from './answers.ts';
export type { Figures } from './answers.sql.ts';
export type { Mail, SendMail } from './channels/email.ts';
export {
  createSmtp,
  type MailOutcome,
  type SendWritten,
  type Smtp,
  type SmtpSetting,
  type WrittenMail,
} from './channels/smtp.ts';
export { type CallAnswer, createCaller, type MakeCall } from './call.ts';
export { isInDomains } from './endpoint.ts';
export { resolveHost } from './resolve.ts';
export { waitAfter } from './retry.ts';
export { createNotify, type Notify, type NotifyInput } from './notify.ts';
export { shippedTopicResources } from './topics/shipped.ts';
export type { SocketHub } from './websocket/hub.ts';
