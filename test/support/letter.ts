/**
 * Makes a letter about another person and stay: what the base says is kept, but INS and traits, the stay, and the
 * document's own identifiers and dates become those that are asked for. Text in, bytes out, so that the letter goes
 * through the whole way from bytes.
 */
export interface LetterChanges {
  readonly ins?: { readonly root: string; readonly value: string };
  readonly traits?: {
    readonly family: string;
    readonly given: string;
    /** All first names; the first alone when left out. */
    readonly givens?: string;
    /** FHIR date. */
    readonly birthDate: string;
    readonly gender: 'male' | 'female';
  };
  readonly stay?: {
    readonly id?: { readonly root: string; readonly extension?: string };
    /** FHIR dateTimes. */
    readonly start: string;
    readonly end?: string;
  };
  readonly document?: {
    readonly id: string;
    readonly setId: string;
    readonly version?: number;
    readonly effectiveTime: string;
    /** Id of the document that this one replaces. */
    readonly replaces?: string;
  };
}

export function adaptLetter(base: string, changes: LetterChanges): Uint8Array {
  const at = base.search(/<component[\s>]/);
  const steps = [changeIns, changeTraits, changeStay, changeDocument];
  const header = steps.reduce((text, step) => step(text, changes), base.slice(0, at));
  return new TextEncoder().encode(header + base.slice(at));
}

/** `2026-03-02T16:20:00+01:00` -> `20260302162000+0100`. */
function hl7Time(dateTime: string): string {
  const [, time, offset = ''] = /^(\d{4}[\d\-T:]*?)(Z|[+-]\d\d:\d\d)?$/.exec(dateTime) ?? [];
  if (time === undefined) throw new Error(`${dateTime} is not a dateTime that a letter can hold`);
  return time.replace(/[-T:]/g, '') + (offset === 'Z' ? '+0000' : offset.replace(':', ''));
}

function interval(start: string, end: string | undefined): string {
  const high = end === undefined ? '' : `<high value="${hl7Time(end)}"/>`;
  return `<effectiveTime><low value="${hl7Time(start)}"/>${high}</effectiveTime>`;
}

function replace(text: string, pattern: RegExp, by: string): string {
  if (!pattern.test(text)) throw new Error(`the base letter has nothing that matches ${pattern}`);
  return text.replace(pattern, () => by);
}

function changeIns(header: string, { ins }: LetterChanges): string {
  if (ins === undefined) return header;
  const pattern = /<id\b[^>]*root="1\.2\.250\.1\.213\.1\.4\.(?:8|9|10|11)"[^>]*>/;
  return replace(header, pattern, `<id root="${ins.root}" extension="${ins.value}"/>`);
}

function changeTraits(header: string, { traits }: LetterChanges): string {
  if (traits === undefined) return header;
  const { family, given, givens = given, birthDate, gender } = traits;
  const name =
    `<name><family qualifier="BR">${family}</family><given>${givens}</given>` +
    `<given qualifier="BR">${given}</given></name>`;
  const code = `code="${gender === 'male' ? 'M' : 'F'}" codeSystem="2.16.840.1.113883.5.1"`;
  const named = replace(header, /(?<=<patient\b[^>]*>(?:(?!<\/patient>)[^])*?)<name>[^]*?<\/name>/, name);
  const gendered = replace(named, /<administrativeGenderCode\b[^>]*>/, `<administrativeGenderCode ${code}/>`);
  return replace(gendered, /<birthTime\b[^>]*>/, `<birthTime value="${birthDate.replaceAll('-', '')}"/>`);
}

function changeStay(header: string, { stay }: LetterChanges): string {
  if (stay === undefined) return header;
  const time = interval(stay.start, stay.end);
  const { root, extension } = stay.id ?? {};
  const id = root === undefined ? '' : `<id root="${root}"${extension ? ` extension="${extension}"` : ''}/>`;
  return header
    .replace(/<serviceEvent\b[^]*?<\/serviceEvent>/, (event) =>
      replace(event, /<effectiveTime>[^]*?<\/effectiveTime>/, time),
    )
    .replace(/<encompassingEncounter\b[^]*?<\/encompassingEncounter>/, (encounter) => {
      const bare = encounter.replace(/(<encompassingEncounter[^>]*>\s*)<id\b[^>]*>/, '$1');
      const timed = replace(bare, /<effectiveTime>[^]*?<\/effectiveTime>/, time);
      return timed.replace(/<encompassingEncounter[^>]*>/, (tag) => tag + id);
    });
}

function changeDocument(header: string, { document }: LetterChanges): string {
  if (document === undefined) return header;
  const { id, setId, version = 1, effectiveTime, replaces } = document;
  const time = hl7Time(effectiveTime);
  const parent = `<relatedDocument typeCode="RPLC"><parentDocument><id root="${replaces}"/></parentDocument></relatedDocument>`;
  const marked = [
    [/<id\b[^>]*>/, `<id root="${id}"/>`],
    [/<setId\b[^>]*>/, `<setId root="${setId}"/>`],
    [/<versionNumber\b[^>]*>/, `<versionNumber value="${version}"/>`],
    [/<effectiveTime\b[^>]*value=[^>]*>/, `<effectiveTime value="${time}"/>`],
  ].reduce((text, [pattern, by]) => replace(text, pattern as RegExp, by as string), header);
  const dated = marked.replace(/(<(?:author|legalAuthenticator)>\s*)<time\b[^>]*>/g, `$1<time value="${time}"/>`);
  const alone = dated.replace(/<relatedDocument\b[^]*?<\/relatedDocument>\s*/g, '');
  return replaces === undefined ? alone : alone.replace('<componentOf', `${parent}<componentOf`);
}
