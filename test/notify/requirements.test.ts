/**
 * The 70 SHALL and SHALL NOT that the Subscriptions R5 Backport guide 1.1.0 has for an R4 server, by the numbers that the public test
 * kit gives them, and that each is proved: a number stands in the title of a test of this folder or at a check of the outsider
 * (test/conformance/subscriptions), in brackets. None is left out.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checks } from '../conformance/subscriptions/checks.ts';

const requirements: Readonly<Record<number, string>> = {
  7: 'an accepted subscription can be detected, delivered and filtered',
  14: 'a notification is a history whose first entry is the status as Parameters',
  15: 'it obeys bdl-3 and bdl-4',
  20: 'an answered handshake makes the subscription active',
  21: 'a failed one puts it in error',
  25: 'rest-hook: events go by POST to the endpoint',
  26: 'with the content type of the payload',
  27: 'with every header',
  28: 'as a Bundle of the notification profile',
  29: 'rest-hook: requested at first',
  30: 'active after the handshake',
  31: 'error after a failed one',
  35: 'further resources keep to the content level',
  38: 'empty: no references to resources',
  39: 'empty: no further entries',
  40: 'id-only: a focus in each event',
  42: 'id-only: further entries have fullUrl and request',
  43: 'full-resource: a focus in each event',
  44: 'full-resource: an entry for each relevant resource',
  45: 'full-resource: with the resource, or saying why not',
  47: '$status is there',
  49: 'one channel type at least',
  51: 'one payload type at least',
  52: 'the CapabilityStatement of the guide is met',
  53: 'one payload type of the guide at least',
  58: 'the CapabilityStatement says so, with the profile',
  59: 'a custom channel type is read',
  60: 'and refused when it is not supported',
  63: 'a filter that is not supported is refused',
  65: 'the content level is read',
  66: 'and refused when it is not supported',
  67: 'and decides what a notification has',
  69: 'a status can be generated for each notification',
  70: 'it is the first entry',
  72: 'criteria are read',
  73: 'and are the canonical of a topic',
  74: 'which is processed',
  75: 'or refused when it is not served',
  77: 'in error: the count goes on',
  78: 'in error: the status says so',
  79: 'in error: $status answers',
  90: 'a FHIR version that cannot be sent is refused',
  93: 'heartbeats as often as asked for',
  94: 'none when not asked for',
  95: 'all filters must hold',
  97: 'no longer wait than the timeout',
  98: 'no more triggering resources than max-count',
  102: 'events-since-subscription-start counts all events, communicated or not',
  103: 'event-number is their sequence',
  106: '$status of one ignores id',
  107: '$status takes ids as alternatives',
  108: '$status without ids answers for all',
  109: '$status of one ignores status',
  110: '$status takes statuses as alternatives',
  111: '$status without status does not filter by it',
  112: '$status is a searchset',
  114: 'the Subscription resource',
  115: '$events is a history with the status first',
  118: 'eventsSinceNumber is inclusive',
  119: 'eventsUntilNumber is inclusive',
  121: '$status in the CapabilityStatement',
  124: 'read of a Subscription',
  129: 'search by url',
  133: 'Subscriptions are written',
  134: 'and read',
  135: 'filters are read',
  136: 'and applied as the topic allows',
  137: 'a Subscription has what its profile demands',
  138: 'a notification has what its profile demands',
  139: 'a status has what its profile demands',
};

function numbersIn(text: string): readonly number[] {
  const lists = [...text.matchAll(/\((\d+(?:, \d+)*)\)['`]/g)].map(([, list = '']) => list.split(', '));
  // What is larger is an HTTP status.
  return lists
    .flat()
    .map(Number)
    .filter((number) => number < 200);
}

const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'));
const inTitles = files.flatMap((name) => numbersIn(readFileSync(join(import.meta.dirname, name), 'utf8')));
const proved = new Set([...inTitles, ...checks.flatMap((check) => check.requirements)]);

describe('the requirements of the guide', () => {
  it('are all proved, and no other number is claimed', () => {
    expect([...proved].sort((a, b) => a - b)).toEqual(Object.keys(requirements).map(Number));
  });

  const page = join(import.meta.dirname, '../../../shared/reference/subscriptions.md');
  (existsSync(page) ? it : it.skip)('are those of the kit (left out without ../shared)', () => {
    const rows = [...readFileSync(page, 'utf8').matchAll(/^\| (\d+) \| SHALL/gm)].map(([, number]) => Number(number));
    expect(rows).toHaveLength(70);
    expect(Object.keys(requirements).map(Number)).toEqual(rows);
  });
});
