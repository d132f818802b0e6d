/**
 * R4's own value sets, code systems, extensions and profiles (`generated/conformance.ndjson`, see `build/`). Nothing is
 * read before the first question; each definition is parsed when it is first asked for.
 */
import { readFileSync } from 'node:fs';
import { type ConformanceResource, type Library, matchesVersion, readCanonical } from '../fhir/index.ts';

export function createBaseLibrary(): Library {
  let lines: Lines | undefined;
  const known = new Map<string, ConformanceResource>();
  return {
    find(type, canonical) {
      lines ??= readLines(readFileSync(new URL('../../generated/conformance.ndjson', import.meta.url)));
      const { url, version } = readCanonical(canonical);
      const key = `${type} ${url}`;
      const json = known.has(key) ? undefined : lines.find(key);
      if (json !== undefined) known.set(key, JSON.parse(json) as ConformanceResource);
      const found = known.get(key);
      return version === undefined || matchesVersion(found?.version, version) ? found : undefined;
    },
  };
}

interface Lines {
  find(key: string): string | undefined;
}

const newLine = 10;
const space = 32;

/** The keys are read, the JSON behind them stays bytes. */
function readLines(bytes: Buffer): Lines {
  const places = new Map<string, readonly [start: number, end: number]>();
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(newLine, start);
    const keyEnd = bytes.indexOf(space, bytes.indexOf(space, start) + 1);
    places.set(bytes.toString('utf8', start, keyEnd), [keyEnd + 1, end]);
    start = end + 1;
  }
  return {
    find(key) {
      const place = places.get(key);
      return place === undefined ? undefined : bytes.toString('utf8', ...place);
    },
  };
}
