/** Topics, matching, channels, delivery log, retries (design.md section 3). Put together here; see deliver.ts and follow.ts. */
export { createNotify, type Notify, type NotifyInput } from './notify.ts';
export type { EndpointRules } from './endpoint.ts';
