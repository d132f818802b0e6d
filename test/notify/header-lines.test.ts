/** Row U8 of the hostile inputs: headers that a subscriber may not set. */
import { describe, expect, it } from '@jest/globals';
import { readHeaderLine } from '../../src/notify/header-lines.ts';

describe('a header line (U8)', () => {
  it.each([
    ['Authorization: Bearer a.b-c', 'Authorization', 'Bearer a.b-c'],
    ['X-Api-Key:secret', 'X-Api-Key', 'secret'],
    ['X-Time: 10:20:30 ', 'X-Time', '10:20:30'],
    ['traceparent: 00-1-2-3', 'traceparent', '00-1-2-3'],
  ])('%j is taken', (line, name, value) => {
    expect(readHeaderLine(line)).toEqual({ name, value });
  });

  it.each([
    'Authorization',
    ': x',
    'X:',
    'X: ',
    'X Y: z',
    'X: a\r\nB: c',
    'X: a\nB: c',
    'X: a\u0000',
    'X: é',
    'Host: elsewhere',
    'Content-Length: 0',
    'content-type: text/plain',
    'Transfer-Encoding: chunked',
    'Connection: close',
    'Proxy-Authorization: x',
    'X-Forwarded-For: 1.2.3.4',
    'X-Suture-Signature: t=1',
    'Cookie: a=b',
    `X: ${'a'.repeat(5000)}`,
  ])('%j is refused', (line) => {
    expect(typeof readHeaderLine(line)).toBe('string');
  });

  it('is not quoted by its refusal', () => {
    expect(readHeaderLine('Host: sesame')).not.toContain('sesame');
    expect(readHeaderLine('X: sesame\r\n')).not.toContain('sesame');
  });
});
