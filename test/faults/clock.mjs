// Loaded before the server under test (NODE_OPTIONS): moves its wall clock by what a file says, as a wrong NTP server would.
import { readFileSync } from 'node:fs';

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
