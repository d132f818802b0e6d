/** The MLLP listener on the whole server: answers by the rules, rows L1 to L3, L5, L7 to L9 and L12 of the hostile inputs. */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createCountedIds, createLog } from '../../src/base/index.ts';
import { listenMllp, type MllpInput, type MllpLimits, type MllpListener } from '../../src/listeners/mllp.ts';
import { fixture } from '../letters/letters.ts';
import { adtOf } from '../letters/admission/adt.ts';
import { messageOf } from '../letters/messages.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { connectMllp, frame, type MllpSender } from '../support/mllp.ts';

let test: TestApp;
const senders: MllpSender[] = [];
beforeAll(async () => {
  test = await startTestApp({ settings: { SUTURE_MLLP_PORT: '0' } });
});
afterEach(() => {
  for (const sender of senders.splice(0)) sender.close();
});
afterAll(() => test?.close());

async function connect(port = test.app.listeners.mllpPort ?? 0, tls?: object): Promise<MllpSender> {
  const sender = await connectMllp(port, tls);
  senders.push(sender);
  return sender;
}

/** MSA-1, MSA-2 and the codes of ERR-3 and ERR-5. */
function verdict(ack: string): string[] {
  const [, msa = '', ...errors] = ack.split('\r');
  const [, code = '', id = ''] = msa.split('|');
  return [
    code,
    id,
    ...errors.filter(Boolean).map((one) => [3, 5].map((field) => one.split('|')[field]?.split('^')[0]).join('/')),
  ];
}

const letter = messageOf(fixture('discharge.xml')).replace('|M-1|', '|L-1|');
const stays = () => test.client.search('Encounter');

describe('an acknowledgement', () => {
  it('is AA when the letter is stored, and says to whom and of what', async () => {
    const sender = await connect();
    const ack = await sender.send(letter);
    expect(ack).toMatch(/^MSH\|\^~\\&\|PFI\|CHVA\|DPI\|CHVA\|\d{14}\+0000\|\|ACK\^T02\^ACK\|[^|]+\|P\|2\.6\|/);
    expect(verdict(ack)).toEqual(['AA', 'L-1']);
    expect(await test.client.search('DocumentReference')).toHaveLength(1);
  });

  it('comes for each of several messages of one connection, in their order, whatever pieces they come in', async () => {
    const sender = await connect();
    const adt = (event: string, recorded: string) =>
      adtOf({ event, recorded, ipp: 'M1', stay: 'M-S1', controlId: `${event}-1` });
    const stream = Buffer.concat([
      frame(adt('A01', '20260301100000')),
      frame(adt('A02', '20260301110000')),
      frame(adt('A03', '20260301120000')),
    ]);
    for (let at = 0; at < stream.length; at += 97) sender.write(stream.subarray(at, at + 97));
    expect([verdict(await sender.next()), verdict(await sender.next()), verdict(await sender.next())]).toEqual([
      ['AA', 'A01-1'],
      ['AA', 'A02-1'],
      ['AA', 'A03-1'],
    ]);
  });

  it.each([
    [
      'AE/904 when the identity is in doubt',
      adtOf({ event: 'A01', recorded: '20260301100000', ipp: 'M2', controlId: 'E-1', family: 'AUTRE' }),
      ['AE', 'E-1', '207/904'],
    ],
    [
      'AE/201 of an event that is not handled',
      adtOf({ event: 'A17', recorded: '20260301100000', controlId: 'E-2' }),
      ['AE', 'E-2', '201/'],
    ],
    ['AE/101 of a message without MSH-10', letter.replace('|L-1|', '||'), ['AE', '', '101/']],
    [
      'AE of what is no base64 (L7)',
      letter.replace('Base64^', 'Base64^*').replace('|L-1|', '|E-4|'),
      ['AE', 'E-4', '207/'],
    ],
    [
      'AE of bytes that are not of its character set (L5)',
      Buffer.from(letter.replace('|L-1|', '|E-5|').replace('SOLENE', 'Solène'), 'latin1'),
      ['AE', 'E-5', '100/'],
    ],
    ['AR when the delimiters are none (L4)', letter.replace('MSH|^~\\&|', 'MSH|||||'), ['AR', '', '100/']],
    ['AR when a frame holds two messages (L1)', `${letter}\r${letter}`, ['AR', 'L-1', '100/']],
    ['AR when it is no HL7', 'GET / HTTP/1.1', ['AR', '', '100/']],
  ])('is %s, and the connection goes on', async (_, message, expected) => {
    const sender = await connect();
    expect(verdict(await sender.send(message))).toEqual(expected);
    expect(verdict(await sender.send(letter))).toEqual(['AA', 'L-1']);
  });

  it('holds nothing of the patient, and nothing that ends a frame', async () => {
    const sender = await connect();
    const ack = await sender.send(
      adtOf({ event: 'A01', recorded: '20260301100000', ipp: 'M2', controlId: 'E\\X1C\\-6', family: 'AUTRE' }),
    );
    expect(ack).not.toMatch(/AUTRE|25805/);
    expect(ack.replaceAll('\r', '')).not.toMatch(/\p{C}/u);
  });

  it('is not given to an acknowledgement', async () => {
    const sender = await connect();
    sender.write(frame('MSH|^~\\&|A|B|C|D|20260301||ACK^A01^ACK|9|P|2.5\rMSA|AA|1'));
    expect(verdict(await sender.send(letter))).toEqual(['AA', 'L-1']);
  });
});

describe('L8, L12: the same message again', () => {
  it('is AA again without a second effect, also on another connection and after a lost answer', async () => {
    const adt = adtOf({
      event: 'A01',
      recorded: '20260305100000',
      ipp: 'M7',
      ins: '',
      reliability: 'PROV',
      stay: 'M-S7',
      controlId: 'R-1',
    });
    const lost = await connect();
    lost.write(frame(adt));
    // The sender dies before it reads the answer; sending again is all that it can do.
    await until(async () => (await test.client.search('Encounter?identifier=M-S7')).length === 1);
    lost.close();
    const versions = async () => (await test.client.get('Encounter/_history?_count=1000')).json.entry.length as number;
    const before = await versions();
    expect(verdict(await (await connect()).send(adt))).toEqual(['AA', 'R-1']);
    expect(verdict(await (await connect()).send(adt))).toEqual(['AA', 'R-1']);
    expect(await versions()).toBe(before);
  });

  it('with another content is AE/205', async () => {
    const sender = await connect();
    const adt = (unit: string) =>
      adtOf({
        event: 'A02',
        recorded: '20260305110000',
        ipp: 'M7',
        ins: '',
        reliability: 'PROV',
        stay: 'M-S7',
        unit,
        controlId: 'R-2',
      });
    expect(verdict(await sender.send(adt('1')))).toEqual(['AA', 'R-2']);
    expect(verdict(await sender.send(adt('2')))).toEqual(['AE', 'R-2', '205/']);
  });
});

/** Asks again until it is so, for some seconds. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 4000;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error('it does not become so');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a connection', () => {
  it('that breaks off in the middle of a message leaves nothing behind, and the next one is served', async () => {
    const before = (await stays()).length;
    const adt = frame(
      adtOf({
        event: 'A01',
        recorded: '20260306100000',
        ipp: 'M8',
        ins: '',
        reliability: 'PROV',
        stay: 'M-S8',
        controlId: 'K-1',
      }),
    );
    const broken = await connect();
    broken.write(adt.subarray(0, adt.length - 40));
    broken.socket.end();
    await broken.ended;
    expect(await stays()).toHaveLength(before);
    expect(verdict(await (await connect()).send(adt.subarray(1, -2)))).toEqual(['AA', 'K-1']);
  });
});

describe('limits and guards', () => {
  const listeners: MllpListener[] = [];
  const open = async (more: Partial<MllpInput> = {}, limits: Partial<MllpLimits> = {}): Promise<MllpListener> => {
    const listener = await listenMllp({
      host: '127.0.0.1',
      port: 0,
      tls: undefined,
      clock: test.app.clock,
      ids: createCountedIds('ack'),
      log: createLog('silent'),
      db: test.database,
      partners: undefined,
      take: () => Promise.reject(new Error('nothing is taken here')),
      limits,
      ...more,
    });
    listeners.push(listener);
    return listener;
  };
  afterEach(async () => {
    for (const sender of senders.splice(0)) sender.close();
    for (const listener of listeners.splice(0)) await listener.stop();
  });

  it('L2: ends a connection whose message is too long, or does not go on, or goes on too slowly', async () => {
    const long = await connect((await open({}, { messageBytesMax: 1000 })).port);
    long.write(`\u000b${'x'.repeat(2000)}`);
    await long.ended;
    const silent = await connect((await open({}, { idleMs: 50 })).port);
    silent.write('\u000bMSH|');
    await silent.ended;
    const slow = await connect((await open({}, { idleMs: 10_000, messageMs: 50 })).port);
    slow.write('\u000bMSH|');
    await slow.ended;
  });

  it('L3: takes so many connections of one sender and no more', async () => {
    const { port } = await open({}, { connectionsOfOneMax: 2 });
    const [first] = [await connect(port), await connect(port)];
    const third = await connect(port);
    await third.ended;
    expect(verdict((await first?.send('x')) ?? '')).toEqual(['AR', '', '100/']);
  });

  it('L9: answers AR to who is no partner, whatever it says', async () => {
    const take = () => Promise.reject(new Error('must not be asked'));
    const partner = { application: 'LABO', facility: 'BIO', certificate: undefined };
    const sender = await connect((await open({ partners: [partner], take })).port);
    expect(verdict(await sender.send(letter))).toEqual(['AR', 'L-1', '207/']);
  });

  it('answers AR when the server cannot take it now, for the same message may come again', async () => {
    const { Problem } = await import('../../src/base/index.ts');
    const take = () => Promise.reject(new Problem('unavailable', 'no database'));
    const sender = await connect((await open({ take })).port);
    expect(verdict(await sender.send(letter.replace('|L-1|', '|U-1|')))).toEqual(['AR', 'U-1', '207/']);
  });

  it('answers what it is taking before it stops, and nothing more', async () => {
    let release = (): void => undefined;
    const begun = new Promise<void>((isBegun) => {
      release = isBegun;
    });
    let finish = (): void => undefined;
    const finished = new Promise<void>((isFinished) => {
      finish = isFinished;
    });
    const take: MllpInput['take'] = async () => {
      release();
      await finished;
      return { kind: 'stored', answer: { status: 200 } };
    };
    const listener = await open({ take });
    const sender = await connect(listener.port);
    const [one, two] = [letter.replace('|L-1|', '|S-1|'), letter.replace('|L-1|', '|S-2|')];
    sender.write(Buffer.concat([frame(one), frame(two)]));
    await begun;
    const stopped = listener.stop();
    finish();
    expect(verdict(await sender.next())).toEqual(['AA', 'S-1']);
    await stopped;
    await sender.ended;
    await expect(sender.next()).rejects.toThrow('ended');
    await expect(connectMllp(listener.port)).rejects.toThrow();
  });

  const pem = (name: string) => readFileSync(new URL(`./tls/${name}`, import.meta.url));
  const server = () => ({ cert: pem('server.pem'), key: pem('server.key'), ca: pem('ca.pem') });
  const identity = (name: string) => ({ ca: pem('ca.pem'), cert: pem(`${name}.pem`), key: pem(`${name}.key`) });

  it('L9: by TLS takes only senders whose certificate its authority has given, under the name that is theirs', async () => {
    const take: MllpInput['take'] = () => Promise.resolve({ kind: 'stored', answer: { status: 200 } });
    const partner = (certificate: string) => [{ application: 'DPI', facility: 'CHVA', certificate }];
    const listener = await open({ tls: server(), take, partners: partner('gam.chva.example') });
    const known = await connect(listener.port, identity('gam'));
    expect(verdict(await known.send(letter.replace('|L-1|', '|T-1|')))).toEqual(['AA', 'T-1']);
    for (const tls of [{ ca: pem('ca.pem') }, identity('stranger')]) {
      const outcome = await connectMllp(listener.port, tls).then(
        (sender) => sender.send(letter).catch(() => 'refused'),
        () => 'refused',
      );
      expect(outcome).toBe('refused');
    }
    const other = await open({ tls: server(), take, partners: partner('labo.example') });
    const spoofing = await connect(other.port, identity('gam'));
    expect(verdict(await spoofing.send(letter))).toEqual(['AR', 'L-1', '207/']);
  });
});

it('L9: the settings refuse an open listener without certificates', async () => {
  const { readConfig } = await import('../../src/base/index.ts');
  expect(() => readConfig({ SUTURE_MLLP_PORT: '2575', SUTURE_MLLP_HOST: '0.0.0.0' })).toThrow(
    'SUTURE_MLLP_CERTIFICATE',
  );
  expect(() => readConfig({ SUTURE_MLLP_CERTIFICATE: 'a.pem' })).toThrow('go together');
  expect(readConfig({ SUTURE_MLLP_PARTNERS: 'GAM@CHVA, LABO@BIO=labo.example' }).mllpPartners).toEqual([
    { application: 'GAM', facility: 'CHVA', certificate: undefined },
    { application: 'LABO', facility: 'BIO', certificate: 'labo.example' },
  ]);
});
