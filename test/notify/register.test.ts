/** Which subscriptions a change is shown to: few of thousands, and never too few. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createLog, createManualClock } from '../../src/base/index.ts';
import { loadDefinitions, type Resource } from '../../src/fhir/index.ts';
import { backport } from '../../src/notify/channel-terms.ts';
import { createVersions } from '../../src/notify/criteria.ts';
import { createRegister, type Register } from '../../src/notify/register.ts';
import { createTopicBook } from '../../src/notify/topics/book.ts';
import { anchorsOfChange } from '../../src/notify/watch.ts';
import { createSearchContext } from '../../src/search/index.ts';

const search = createSearchContext({
  definitions: loadDefinitions(),
  zone: 'Europe/Paris',
  baseUrl: 'http://127.0.0.1/fhir',
});
const setting = { search, clock: createManualClock(0), log: createLog('silent') };
const version = createVersions(search);
const rules = { allowsLoopback: true, origins: undefined, mailDomains: undefined, mssanteDomains: undefined };
const newRegister = (): Register => createRegister({ setting, book: createTopicBook(setting), rules });

function subscription(criteria: string, filters: readonly string[] = []): Resource {
  const isTopic = criteria.startsWith('https://');
  const level = { extension: [{ url: `${backport}backport-payload-content`, valueCode: 'id-only' }] };
  return {
    resourceType: 'Subscription',
    status: 'active',
    reason: 'essai',
    criteria,
    ...(filters.length === 0
      ? {}
      : {
          _criteria: {
            extension: filters.map((valueString) => ({ url: `${backport}backport-filter-criteria`, valueString })),
          },
        }),
    channel: {
      type: 'rest-hook',
      endpoint: 'http://127.0.0.1:9/hook',
      ...(isTopic ? { payload: 'application/fhir+json', _payload: level } : {}),
    },
  };
}

const stay = (id: string, patient: string, status: string, code = 'IMP'): Resource => ({
  resourceType: 'Encounter',
  id,
  status,
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code },
  subject: { reference: patient },
});

interface Shown {
  readonly asked: readonly string[];
  readonly matched: readonly string[];
}

function show(register: Register, resource: Resource, previous?: Resource): Shown {
  const seen = {
    type: resource.resourceType,
    current: version(resource),
    previous: previous === undefined ? undefined : version(previous),
  };
  const asked = [...register.candidates(resource.resourceType, () => anchorsOfChange(seen))];
  const matched = asked.filter(({ matcher }) => matcher.matches(seen)).map((watcher) => watcher.subscription);
  return { asked: asked.map((watcher) => watcher.subscription), matched: matched.sort() };
}

const discharged = 'https://suture.example/fhir/SubscriptionTopic/encounter-discharged';

describe('a change', () => {
  it('of one patient is shown to the subscriptions of that patient, of thousands (U12)', () => {
    const register = newRegister();
    for (let n = 0; n < 3_000; n++) {
      const patient = `patient=Patient/p${n}`;
      register.set(`topic-${n}`, subscription(discharged, [patient]));
      register.set(`core-${n}`, subscription(`Encounter?status=finished&${patient}`));
    }
    register.set('elsewhere', subscription('Observation?code=x'));
    const { asked, matched } = show(register, stay('e', 'Patient/p7', 'finished'));
    expect([...asked].sort()).toEqual(['core-7', 'topic-7']);
    expect(matched).toEqual(['core-7', 'topic-7']);
  });

  it('is shown by code, status or id just so', () => {
    const register = newRegister();
    for (let n = 0; n < 1_000; n++) register.set(`class-${n}`, subscription(`Encounter?class=http://c|${n}`));
    register.set('status', subscription('Encounter?status=planned'));
    register.set('id', subscription('Encounter?_id=e1,e2'));
    register.set('any', subscription('Encounter'));
    expect(show(register, stay('e1', 'Patient/p', 'finished')).asked).toEqual(['any', 'id']);
    expect(show(register, stay('e3', 'Patient/p', 'planned')).matched).toEqual(['any', 'status']);
  });

  const criteria = fc.constantFrom(
    'Encounter',
    'Encounter?patient=Patient/p1',
    'Encounter?patient=p2',
    'Encounter?subject=Patient/p1,Patient/p3',
    'Encounter?status=finished',
    'Encounter?status=finished,planned&class=IMP',
    'Encounter?status:not=finished',
    'Encounter?class=http://terminology.hl7.org/CodeSystem/v3-ActCode|AMB',
    'Encounter?_id=e1',
    'Encounter?patient:missing=true',
    discharged,
  );
  const stays = fc
    .tuple(
      fc.constantFrom('e1', 'e2'),
      fc.constantFrom('Patient/p1', 'Patient/p2', 'Group/p2', 'http://127.0.0.1/fhir/Patient/p3'),
      fc.constantFrom('planned', 'finished'),
      fc.constantFrom('IMP', 'AMB'),
    )
    .map(([id, patient, status, code]) => stay(id, patient, status, code));

  it('reaches the same whether thousands are indexed or each is asked alone', () => {
    fc.assert(
      fc.property(fc.array(criteria, { maxLength: 30 }), stays, fc.option(stays), (many, current, previous) => {
        const register = newRegister();
        many.forEach((text, index) => register.set(`s${index}`, subscription(text)));
        const alone = many.flatMap((text, index) => {
          const one = newRegister();
          one.set(`s${index}`, subscription(text));
          const seen = { type: 'Encounter', current: version(current), previous: previous && version(previous) };
          // Everything that it could be found by: nothing is narrowed.
          const watchers = [...one.candidates('Encounter', () => anchorsOfAll(text))];
          return watchers
            .filter(({ matcher }) => matcher.matches({ ...seen, previous: seen.previous ?? undefined }))
            .map((watcher) => watcher.subscription);
        });
        expect(show(register, current, previous ?? undefined).matched).toEqual(alone.sort());
      }),
    );
  });

  /** The anchors of the criteria themselves. */
  function anchorsOfAll(text: string): readonly (string | bigint)[] {
    if (text === 'Encounter?_id=e1') return ['Encounter/e1'];
    const all = ['p1', 'p2', 'p3'].flatMap((id) =>
      ['planned', 'finished'].flatMap((status) =>
        ['IMP', 'AMB'].flatMap((code) => {
          const { subject: _subject, ...nobody } = stay('x', '', status, code);
          const patients = [`Patient/${id}`, `Group/${id}`];
          return [nobody, ...patients.map((patient) => stay('x', patient, status, code))];
        }),
      ),
    );
    return all.flatMap((one) => anchorsOfChange({ type: 'Encounter', current: version(one), previous: undefined }));
  }
});
