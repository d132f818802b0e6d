/**
 * Loaded into a server (NODE_OPTIONS=--import): how much lives in its memory at most while something is done. SIGUSR2 begins and
 * SIGUSR2 ends; in between everything that is dead is collected again and again, and what is left (heap and buffers) is noted. The
 * highest, above what lived before, goes into the file that MEMORY_PROBE names, as `{"baseBytes", "peakBytes", "samples"}`.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const file = process.env.MEMORY_PROBE;

if (isMainThread && file !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const living = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const tell = (told) => {
    writeFileSync(`${file}.new`, JSON.stringify(told));
    renameSync(`${file}.new`, file);
  };
  let timer;
  let [baseBytes, peakBytes, samples] = [0, 0, 0];
  process.on('SIGUSR2', () => {
    if (timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
      return tell({ baseBytes, peakBytes, samples });
    }
    // Buffers whose owners have died are given back by the collection after the next.
    living();
    living();
    baseBytes = peakBytes = living();
    samples = 0;
    timer = setInterval(() => {
      peakBytes = Math.max(peakBytes, living());
      samples++;
    }, 20);
    tell({});
  });
}
