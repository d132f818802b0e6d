export { createHttp, type HttpInput } from './server.ts';
