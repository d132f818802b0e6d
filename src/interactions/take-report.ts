/** What became of a mail that was sent (MDN, DSN, error mail): the Communication that records it is brought up to date (RUP-34). */
import { isDeepStrictEqual } from 'node:util';
import type { Communication } from 'fhir/r4.js';
import { formatInstant } from '../base/index.ts';
import { type Resource, toOperationOutcome } from '../fhir/index.ts';
import type { DeliveryReport } from '../formats/index.ts';
import { applyReport, communicationSearch } from '../letters/index.ts';
import { everything } from '../store/index.ts';
import { bundleText } from './bundle-text.ts';
import { answerStored, type Context } from './context.ts';
import type { Outcome } from './letter-review.ts';
import { searchResources } from './search.ts';
import { answerText } from './transaction.ts';
import { onItsOwn, retryRace, writeGuarded } from './write.ts';

/** One mail is recorded once for each of its recipients. */
const recipientsMax = 100;

/** `sentAt`: the report's own date, by which it counts; the time of arrival where it has none. */
export function takeReport(
  context: Context,
  { report, sentAt }: { readonly report: DeliveryReport; readonly sentAt: string | undefined },
): Promise<Outcome> {
  const search = communicationSearch(report);
  if (search === undefined) return Promise.resolve(informed('un avis de remise qui ne nomme aucun message'));
  const at = sentAt ?? formatInstant(context.clock.now());
  return retryRace(() =>
    context.store.transaction(async (session) => {
      await session.lockCriteria([`Communication?${report.about.join(',')}`]);
      const input = { ...search, visible: everything, limit: recipientsMax };
      const found = (await searchResources(context, session, input)) as unknown as readonly Communication[];
      const known = ofRecipient(found, report);
      if (known.length === 0) return informed('un avis de remise d’un message qui n’est pas connu');
      await session.lockResources(known.map(({ id }) => `Communication/${id}`));
      const next = known.map((communication) => applyReport(communication, report, at));
      const changed = next.filter((one, index) => !isDeepStrictEqual(one, known[index]));
      await writeGuarded(
        context,
        session,
        changed.map((one) => ({
          method: 'PUT' as const,
          type: 'Communication',
          id: one.id ?? '',
          resource: one as unknown as Resource,
        })),
        onItsOwn,
      );
      const stored = await session.readMany(
        known.map(({ id }) => `Communication/${id}`),
        everything,
      );
      const entries = stored.map((one) => {
        const location = `${context.baseUrl}/Communication/${one.id}/_history/${one.version}`;
        return answerText({ ...answerStored(200, one), location });
      });
      return { kind: 'stored', answer: { status: 200, body: bundleText({ type: 'transaction-response', entries }) } };
    }),
  );
}

/** Where one mail went to several and each has a record of his own that names his mailbox, the one of whom the report speaks. */
function ofRecipient(found: readonly Communication[], { recipient }: DeliveryReport): readonly Communication[] {
  if (found.length < 2 || recipient === undefined) return found;
  const named = found.filter((one) =>
    JSON.stringify([one.recipient, one.identifier]).toLowerCase().includes(recipient),
  );
  return named.length > 0 ? named : found;
}

/** An automatic answer without a letter: taken, and nothing follows from it. */
export function answerAutomatic(): Promise<Outcome> {
  return Promise.resolve(informed('une réponse automatique : rien n’en est tiré'));
}

function informed(text: string): Outcome {
  const outcome = toOperationOutcome([{ severity: 'information', code: 'informational', text }]);
  return { kind: 'stored', answer: { status: 200, body: JSON.stringify(outcome) } };
}
