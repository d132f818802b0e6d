/** What stands between an administrator and a topic: it is compiled before it is stored, and stays while it is followed. */
import { type Issue, Problem } from '../../base/index.ts';
import { type Resource, serializeJson } from '../../fhir/index.ts';
import type { Session } from '../../store/index.ts';
import { isTopic, readTopic } from './basic.ts';
import { compileTopic, type TopicSetting } from './compile.ts';
import { isShipped } from './shipped.ts';
import { findTopicRow, isTopicFollowed, saveTopicRow } from './topics.sql.ts';

export async function guardTopic(
  setting: TopicSetting,
  session: Session,
  write: { readonly before: Resource | undefined; readonly after: Resource | undefined },
): Promise<void> {
  const former = urlOf(write.before);
  const url = isTopic(write.after) ? requireServed(setting, write.after) : undefined;
  if ((former !== undefined && isShipped(former)) || (url !== undefined && isShipped(url))) {
    throw new Problem(
      'unprocessable',
      'the topics under this canonical are those of the server itself and cannot be changed',
    );
  }
  if (former !== undefined && former !== url) await forget(session, former);
  if (url === undefined || write.after === undefined) return;
  if (former !== url && (await findTopicRow(session, url)) !== undefined) {
    throw new Problem('conflict', 'another topic has the same canonical url');
  }
  await saveTopicRow(session, { url, raw: serializeJson(write.after) });
}

async function forget(session: Session, url: string): Promise<void> {
  if (await isTopicFollowed(session, url)) {
    throw new Problem(
      'conflict',
      'subscriptions follow the topic: set its status to retired, and no new ones will come',
    );
  }
  await saveTopicRow(session, { url, raw: '' });
}

function urlOf(resource: Resource | undefined): string | undefined {
  if (!isTopic(resource)) return undefined;
  return readTopic(resource).topic?.url;
}

function requireServed(setting: TopicSetting, resource: Resource): string {
  const read = readTopic(resource);
  if (read.issues !== undefined) throw refusal(read.issues);
  const compiled = compileTopic(read.topic, setting);
  if (compiled.issues !== undefined) throw refusal(compiled.issues);
  return read.topic.url;
}

function refusal(issues: readonly Issue[]): Problem {
  return new Problem('unprocessable', issues[0]?.text ?? 'the topic cannot be served', { issues });
}
