// Loaded before the server under test (NODE_OPTIONS): moves its wall clock by what a file says, as a wrong NTP server would, and
// stops its one thread for as many milliseconds as another file says.
import { readFileSync, rmSync } from 'node:fs';

const file = process.env.FAULT_CLOCK;
const machine = Date.now.bind(Date);
const everyMs = 100;
let offsetMs = 0;
let readAt = Number.NEGATIVE_INFINITY;

if (file !== undefined) {
  Date.now = () => {
    const now = machine();
    if (now - readAt > everyMs) {
      readAt = now;
      offsetMs = Number(readFileSync(file, 'utf8')) || 0;
    }
    return now + offsetMs;
  };
}

const stallFile = process.env.FAULT_STALL;

if (stallFile !== undefined) {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => {
    let ms = 0;
    try {
      ms = Number(readFileSync(stallFile, 'utf8')) || 0;
      rmSync(stallFile);
    } catch {
      // Nobody asked for it.
    }
    if (ms > 0) Atomics.wait(nothing, 0, 0, ms);
  }, everyMs).unref();
}
