/** CarePlan/[id]/$document and DetectedIssue/[id]/$document: a FHIR document that our validator accepts, and a page to read. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Bundle, Composition } from 'fhir/r4.js';
import { startTestApp, type TestApp } from '../support/app.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  await test.client.putAll(
    {
      resourceType: 'Patient',
      id: 'p1',
      identifier: [{ system: 'urn:oid:1.2.250.1.213.1.4.10', value: '258059999900193' }],
      name: [{ use: 'official', family: 'KERDONCUFF', given: ['SOLENE'] }],
      birthDate: '1958-05-14',
    },
    { resourceType: 'Practitioner', id: 'gp', name: [{ prefix: ['Dr'], given: ['Yann'], family: 'LESCOP' }] },
    { resourceType: 'PractitionerRole', id: 'gp', practitioner: { reference: 'Practitioner/gp' } },
    {
      resourceType: 'CareTeam',
      id: 't1',
      status: 'active',
      subject: { reference: 'Patient/p1' },
      participant: [{ role: [{ text: 'Médecin traitant' }], member: { reference: 'PractitionerRole/gp' } }],
    },
    {
      resourceType: 'Goal',
      id: 'g1',
      lifecycleStatus: 'active',
      description: { text: 'Reprendre la marche <sans aide> & seul' },
      subject: { reference: 'Patient/p1' },
    },
    {
      resourceType: 'CarePlan',
      id: 'c1',
      status: 'active',
      intent: 'plan',
      title: 'Retour à domicile après colectomie',
      subject: { reference: 'Patient/p1' },
      author: { reference: 'PractitionerRole/gp' },
      careTeam: [{ reference: 'CareTeam/t1' }],
      goal: [{ reference: 'Goal/g1' }, { reference: 'Goal/gone' }],
      period: { start: '2026-03-02', end: '2026-06-02' },
      activity: [
        {
          detail: {
            status: 'scheduled',
            description: 'Pansement par l’infirmière, 日本',
            scheduledString: 'chaque jour',
          },
        },
      ],
    },
    {
      resourceType: 'DetectedIssue',
      id: 'i1',
      status: 'final',
      patient: { reference: 'Patient/p1' },
      code: { text: 'Lettre de liaison absente' },
      detail: 'Aucune lettre n’est arrivée le jour de la sortie.',
      identifiedDateTime: '2026-03-03T00:00:00+01:00',
      implicated: [{ reference: 'CarePlan/c1' }],
    },
  );
});
afterAll(() => test?.close());

const linesOf = ({ section = [] }: Composition) =>
  section.map(({ title, text }) => [title, text?.div?.replace(/<[^>]+>/g, '|')]);

describe('the FHIR document', () => {
  it.each(['CarePlan/c1', 'DetectedIssue/i1'])(
    'of %s is valid, Composition first, all that it names inside',
    async (of) => {
      const bundle = (await test.client.get(`${of}/$document`)).json as Bundle;
      expect(bundle).toMatchObject({ type: 'document', identifier: { system: 'urn:ietf:rfc:3986' } });
      const judged = await test.client.post('Bundle/$validate', bundle);
      const faults = (judged.json.issue as { severity: string }[]).filter(({ severity }) => severity === 'error');
      expect(faults).toEqual([]);
      const composition = bundle.entry?.[0]?.resource as Composition;
      expect(composition.resourceType).toBe('Composition');
      const there = new Set(bundle.entry?.map(({ fullUrl }) => fullUrl));
      expect(there.size).toBe(bundle.entry?.length);
      const named = [...JSON.stringify(composition).matchAll(/"reference":"([^"]+)"/g)].map(([, link]) => link);
      for (const link of named) expect(there).toContain(`${test.client.baseUrl}/${link}`);
    },
  );

  it('tells what the plan holds, names escaped, and nothing of what is not there', async () => {
    const bundle = (await test.client.get('CarePlan/c1/$document')).json as Bundle;
    expect(linesOf(bundle.entry?.[0]?.resource as Composition)).toEqual([
      ['Résumé', expect.stringContaining('en cours · du 02/03/2026 au 02/06/2026')],
      ['Objectifs', expect.stringContaining('Reprendre la marche &lt;sans aide&gt; &amp; seul · en cours')],
      ['Équipe de soins', expect.stringContaining('Dr Yann LESCOP · Médecin traitant')],
      ['Activités prévues', expect.stringContaining('Pansement par l’infirmière, 日本 · chaque jour · programmé')],
    ]);
  });

  it('of a plan is taken by $generate-metadata as any document is', async () => {
    const document = (await test.client.get('CarePlan/c1/$document')).json;
    const parameters = { resourceType: 'Parameters', parameter: [{ name: 'document', resource: document }] };
    const reply = await test.client.post('DocumentReference/$generate-metadata', parameters);
    expect([reply.status, reply.json.parameter?.[0]?.name]).toEqual([200, 'DocumentReference']);
    const fiche = await test.client.read<{ content: { attachment: { url: string } }[] }>(
      reply.json.parameter[0].valueReference.reference,
    );
    expect(fiche.content[0]?.attachment.url).toMatch(/^Bundle\//);
  });
});

describe('the page', () => {
  it('is a PDF of one page, the same bytes each time, with what fonts cannot write as a question mark', async () => {
    const [one, again] = [
      await test.client.get('CarePlan/c1/$document?format=pdf'),
      await test.client.get('CarePlan/c1/$document?format=pdf'),
    ];
    expect(one.headers.get('content-type')).toBe('application/pdf');
    expect(one.bytes.subarray(0, 5).toString()).toBe('%PDF-');
    expect(one.bytes.equals(again.bytes)).toBe(true);
    expect(one.bytes.toString('latin1').match(/\/Type \/Page\b(?!s)/g)).toHaveLength(1);
  });

  it('is refused in another format, and for what is not there', async () => {
    expect((await test.client.get('CarePlan/c1/$document?format=docx')).status).toBe(400);
    expect((await test.client.get('CarePlan/none/$document')).status).toBe(404);
  });
});
