export { type Change, readChanges, trimChanges } from './changes.ts';
export { announceHolder, keepHolder } from './holder.ts';
export { failJob, finishJob, type Job, type JobRequest, nextJobAt, requestJobs, takeJobs } from './jobs.ts';
export { createTimeKeeper, keptClock, settleOrFail, type TimeKeeper } from './timekeeper.ts';
export { createWorkers, type Follower, type Work, type Workers } from './worker.ts';
