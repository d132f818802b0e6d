/** The longest files first: one of them begun last would leave the other worker without work. */
import Sequencer from '@jest/test-sequencer';

const longest = [
  'test/demo/',
  'test/flows/',
  'test/http/canary',
  'test/notify/unreliable',
  'test/access/non-',
  'test/faults/',
];
const rank = ({ path }) => longest.findIndex((part) => path.includes(part)) >>> 0;

export default class extends (Sequencer.default ?? Sequencer) {
  sort(tests) {
    return [...super.sort(tests)].sort((one, other) => rank(one) - rank(other));
  }
}
