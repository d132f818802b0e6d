/** Topics, matching, channels, delivery log, retries (design.md section 3). Put together in notify.ts; see follow.ts and deliver.ts. */
export type { Answers, AskedEvents, AskedStatus } from './answers.ts';
export type { Figures } from './answers.sql.ts';
export { createNotify, type Notify, type NotifyInput } from './notify.ts';
export { shippedTopicResources } from './topics/shipped.ts';
