/** The part of autocannon 9 that measure.ts uses; the package has no types. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  export interface AutocannonRequest {
    method?: string;
    path?: string;
    headers?: Readonly<Record<string, string>>;
    body?: string | undefined;
    setupRequest?: (request: AutocannonRequest) => AutocannonRequest;
  }

  export interface AutocannonOptions {
    readonly url: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    /** Seconds. */
    readonly timeout: number;
    readonly sampleInt: number;
    readonly requests: readonly AutocannonRequest[];
  }

  const autocannon: (options: AutocannonOptions) => EventEmitter & PromiseLike<unknown>;
  export default autocannon;
}
