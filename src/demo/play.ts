/**
 * The demo: about fifty synthetic patients over three weeks of a manual clock, sent to a running server over HTTP as the
 * systems of a territory would; each break is printed as it opens and closes.
 */
import { readFile } from 'node:fs/promises';
import type { Resource } from '../fhir/index.ts';
import { type Client, createClient } from './client.ts';
import { type DemoEvent, planTerritory } from './pathway.ts';
import { territory } from './people.ts';
import { issueLine, type IssueView, type Printer, tableLines, viewIssue } from './print.ts';
import { createChance } from './random.ts';

export const demoStartMs = Date.parse('2026-03-02T08:00:00+01:00');
const demoDays = 21;
const demoPatients = 50;
const demoSeed = 20260302;
const dayMs = 24 * 3_600_000;

export interface DemoInput {
  /** FHIR base of a server with a manual clock at `demoStartMs`. */
  readonly baseUrl: string;
  readonly printer: Printer;
  readonly letterFile: string | undefined;
}

export interface DemoResult {
  readonly patientsWithBreak: number;
  readonly breaks: number;
}

export async function playDemo({ baseUrl, printer, letterFile }: DemoInput): Promise<DemoResult> {
  const client = createClient(baseUrl);
  const teller = createTeller(client, printer);
  const { people, events } = planTerritory(demoPatients, demoStartMs, createChance(demoSeed));
  printer.line(
    printer.paint('bold', `Suture — ${people.length} patients fictifs, ${demoDays} jours, horloge manuelle`),
  );
  for (const resource of territory()) {
    await client.send({
      method: 'PUT',
      path: `${resource.resourceType}/${resource.id}`,
      body: JSON.stringify(resource),
    });
  }
  const letters = new Map<string, string>();
  const days = Array.from({ length: demoDays + 1 }, (_one, day) => demoStartMs + day * dayMs);
  const stops = [...new Set([...events.map(({ atMs }) => atMs), ...days])]
    .sort((a, b) => a - b)
    .filter((at) => at <= days.at(-1)!);
  for (const at of stops) {
    await client.moveClock(at);
    await teller.tell();
    for (const event of events.filter(({ atMs }) => atMs === at)) await play(client, event, letters);
    await client.settle();
    await teller.tell();
  }
  if (letterFile !== undefined) await showLetter(client, printer, letterFile);
  for (const line of ['', ...tableLines(printer, teller.views())]) printer.line(line);
  const patientsWithBreak = new Set(
    teller
      .views()
      .filter(({ state }) => state !== 'moot')
      .map(({ patient }) => patient),
  ).size;
  printer.line(`\n${teller.views().length} ruptures, ${patientsWithBreak} patients sur ${people.length}`);
  return { patientsWithBreak, breaks: teller.views().length };
}

async function play(client: Client, event: DemoEvent, letters: Map<string, string>): Promise<void> {
  const answer = await client.send({ ...event, body: event.body(letters) });
  if (event.keepAs !== undefined) {
    const entries = (answer['entry'] ?? []) as readonly { resource?: Resource }[];
    const document = entries.find(({ resource }) => resource?.resourceType === 'DocumentReference')?.resource;
    if (document?.id !== undefined) letters.set(event.keepAs, `DocumentReference/${document.id}`);
  }
}

interface Teller {
  tell(): Promise<void>;
  views(): readonly IssueView[];
}

/** Prints the DetectedIssues whose state differs from what was last seen. */
function createTeller(client: Client, printer: Printer): Teller {
  const seen = new Map<string, IssueView>();
  return {
    views: () => [...seen.values()],
    async tell() {
      for (const issue of await client.search('DetectedIssue?_count=1000')) {
        const view = viewIssue(issue);
        const before = seen.get(view.id);
        seen.set(view.id, view);
        if (before?.state === view.state) continue;
        // Opened and closed since the last look: both are told.
        if (before === undefined && view.isClosed) {
          printer.line(issueLine(printer, localTime(view.identified), { ...view, state: 'open', reason: undefined }));
        }
        printer.line(issueLine(printer, localTime(issue.meta?.lastUpdated ?? ''), view));
      }
    },
  };
}

function localTime(lastUpdated: string): string {
  const format = new Intl.DateTimeFormat('fr-FR', { timeZone: 'Europe/Paris', dateStyle: 'short', timeStyle: 'short' });
  return format.format(Date.parse(lastUpdated));
}

async function showLetter(client: Client, printer: Printer, file: string): Promise<void> {
  const bytes = await readFile(file);
  printer.line(`\n${printer.paint('bold', `Lettre reçue : ${file}`)} (${bytes.length} octets)`);
  const answer = await client.tryLetter(bytes);
  const entries = (answer['entry'] ?? []) as readonly { response?: { status?: string; location?: string } }[];
  for (const { response } of entries) printer.line(`  ${response?.status ?? '?'}  ${response?.location ?? ''}`);
  const issues = (answer['issue'] ?? []) as readonly { details: { text: string }; expression?: readonly string[] }[];
  for (const { details, expression = [] } of issues) {
    printer.line(`  ${printer.paint('yellow', 'à revoir')}  ${details.text} ${expression.join(' ')}`);
  }
}
