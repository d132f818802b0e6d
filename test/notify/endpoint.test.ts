/** Rows U1 to U4 of the hostile inputs: what an endpoint may not be, at writing and at sending. */
import { describe, expect, it } from '@jest/globals';
import { type EndpointRules, mayCall, readEndpoint } from '../../src/notify/endpoint.ts';

const open: EndpointRules = { allowsLoopback: false, origins: undefined };
const trials: EndpointRules = { allowsLoopback: true, origins: undefined };
const listed: EndpointRules = { allowsLoopback: false, origins: new Set(['https://hook.chu.example:9443']) };

const refused: readonly string[] = [
  'http://hooks.example.org/fhir',
  'http://127.0.0.1/',
  'http://127.1/',
  'https://127.0.0.1/',
  'https://127.1/',
  'https://0x7f.1/',
  'https://2130706433/',
  'https://017700000001/',
  'https://0/',
  'https://①②⑦.⓪.⓪.①/',
  'https:\\\\127.0.0.1\\x',
  'https://[::1]/',
  'https://[::]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://localhost/',
  'https://localhost./',
  'https://LOCALHOST。/',
  'https://a.localhost/',
  'https://169.254.169.254/latest/meta-data',
  'https://10.1.2.3/',
  'https://intranet/',
  'https://good.example@127.0.0.1/',
  'https://user:word@good.example/',
  'https://good.example:22/',
  'https://good.example/#part',
  'https://good.example/a b',
  'https://good.example/\n',
  'ftp://good.example/',
  'file:///etc/passwd',
  'gopher://good.example/',
  'unix:/run/x',
  'mailto:a@good.example',
  'https://',
  '',
  `https://good.example/${'a'.repeat(2048)}`,
];

describe('an endpoint (U1, U2, U4)', () => {
  it.each(refused)('%j is refused', (text) => {
    expect(typeof readEndpoint(text, open)).toBe('string');
  });

  it.each([
    'https://good.example/fhir',
    'https://good.example:8443/a?b=c',
    'https://8.8.8.8/',
    'https://good.example.',
  ])('%j is taken', (text) => {
    expect(readEndpoint(text, open)).toBeInstanceOf(URL);
  });

  it('may be this machine only where the setting for trials says so', () => {
    for (const text of ['http://127.0.0.1:9000/x', 'http://localhost:1/', 'https://[::1]:4/']) {
      expect(readEndpoint(text, trials)).toBeInstanceOf(URL);
    }
    expect(typeof readEndpoint('http://good.example/', trials)).toBe('string');
    expect(typeof readEndpoint('http://10.0.0.1/', trials)).toBe('string');
  });

  it('must have an origin of the list, where there is one, to the letter', () => {
    expect(readEndpoint('https://hook.chu.example:9443/a', listed)).toBeInstanceOf(URL);
    for (const text of [
      'https://hook.chu.example/a',
      'https://hook.chu.example:9443.evil.example/',
      'https://hook.chu.example.evil.example:9443/',
      'http://hook.chu.example:9443/',
    ]) {
      expect(typeof readEndpoint(text, listed)).toBe('string');
    }
  });
});

describe('the addresses of a host (U3)', () => {
  const https = new URL('https://good.example/');
  it.each([
    ['a public one', https, ['8.8.8.8'], open, true],
    ['none', https, [], open, false],
    ['a private one', https, ['10.0.0.1'], open, false],
    ['a public and a private one', https, ['8.8.8.8', '10.0.0.1'], open, false],
    ['the metadata of a cloud', https, ['169.254.169.254'], trials, false],
    ['loopback', https, ['127.0.0.1'], open, false],
    ['loopback in trials', https, ['127.0.0.1', '::1'], trials, true],
    ['plain http to loopback in trials', new URL('http://localhost/'), ['127.0.0.1'], trials, true],
    ['plain http to a public address in trials', new URL('http://localhost/'), ['8.8.8.8'], trials, false],
    ['a private one of a listed origin', new URL('https://hook.chu.example:9443/'), ['10.0.0.1'], listed, true],
    ['a private one of another origin', https, ['10.0.0.1'], listed, false],
    ['loopback of a listed origin', new URL('https://hook.chu.example:9443/'), ['127.0.0.1'], listed, false],
  ])('%s', (_title, url, addresses, rules, expected) => {
    expect(mayCall(url, addresses, rules)).toBe(expected);
  });
});
