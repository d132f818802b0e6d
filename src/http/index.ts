export type { Readiness } from './admin.ts';
export type { CallerOf } from './caller.ts';
export { type ReservedPort, reservePort } from './port.ts';
export { closeHttp } from './close.ts';
export { type Answered, createHttp, type HttpInput, type ServerTls, tlsOptions } from './server.ts';
