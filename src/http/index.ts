export { type ReservedPort, reservePort } from './port.ts';
export { createHttp, type HttpInput } from './server.ts';
