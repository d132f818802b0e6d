/**
 * rest-hook (https://hl7.org/fhir/R4/subscription.html#channels): a POST to the endpoint, without body or with a notification; or,
 * for core R4 with payload, a PUT of the resource below the endpoint, as a FHIR update.
 */
import assert from 'node:assert/strict';
import type { MakeCall } from '../call.ts';
import type { Channel } from '../channel.ts';
import { headersOf, pathBelow, toOutcome } from './web.ts';

export function createRestHook(call: MakeCall): Channel {
  return async (notification, channel) => {
    const { path, body } = notification;
    const { endpoint, timeoutMs } = channel;
    assert(endpoint !== undefined);
    const headers = headersOf(notification, channel);
    const [method, url] =
      path === undefined ? (['POST', endpoint] as const) : (['PUT', pathBelow(endpoint, path)] as const);
    return toOutcome(await call({ method, url, headers, body, timeoutMs }));
  };
}
