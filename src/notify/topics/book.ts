/** The topics of this server, compiled: those of the program, and those of administrators as far as they were read. */
import { Problem } from '../../base/index.ts';
import { parseJson, type Resource } from '../../fhir/index.ts';
import { readTopic } from './basic.ts';
import { type CompiledTopic, compileTopic, type TopicSetting } from './compile.ts';
import { shippedTopics } from './shipped.ts';

export interface TopicBook {
  find(url: string): CompiledTopic | undefined;
  /** Takes over a topic as it is stored; '' removes it. */
  set(url: string, raw: string): void;
}

export function createTopicBook(setting: TopicSetting): TopicBook {
  const topics = new Map<string, CompiledTopic>();
  for (const topic of shippedTopics) topics.set(topic.url, requireCompiled(topic, setting));
  return {
    find: (url) => topics.get(url),
    set(url, raw) {
      const compiled = raw === '' ? undefined : compileStored(raw, setting);
      if (compiled === undefined) topics.delete(url);
      else topics.set(url, compiled);
    },
  };
}

function requireCompiled(topic: (typeof shippedTopics)[number], setting: TopicSetting): CompiledTopic {
  const { compiled, issues } = compileTopic(topic, setting);
  if (compiled === undefined) throw new Problem('fault', 'a topic of the program is not valid', { issues });
  return compiled;
}

/** undefined: this version of the server cannot serve what an earlier one accepted. */
export function compileStored(raw: string, setting: TopicSetting): CompiledTopic | undefined {
  const read = readTopic(parseJson(raw) as Resource);
  return read.issues === undefined ? compileTopic(read.topic, setting).compiled : undefined;
}
