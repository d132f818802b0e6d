/**
 * A professional as Pro Santé Connect describes him: RPPS, situations of practice (SubjectRefPro), how surely he was recognised. Refused:
 * who has no professional situation, who was not recognised surely enough, and who has several places of work and does not say from which
 * one he asks. What is chosen goes into the audit.
 */
import type { Role } from '../access/index.ts';

export interface Professional {
  readonly rpps: string;
  /** Of the place of work that was chosen, or of the only one; undefined where it has none. */
  readonly finess: string | undefined;
  readonly role: Role;
  readonly name: string | undefined;
  readonly assurance: string;
}

export type Recognised =
  | { readonly kind: 'ok'; readonly professional: Professional }
  | { readonly kind: 'refused'; readonly text: string };

export interface Choice {
  /** FINESS, or the technical identifier of the structure, that the caller named. */
  readonly activity: string | undefined;
  /** Values of Palier_Authentification that suffice. */
  readonly assurance: readonly string[];
}

interface Activity {
  readonly finess: string | undefined;
  readonly names: readonly string[];
}

interface Practice {
  readonly profession: string;
  readonly activities: readonly Activity[];
}

const practicesMax = 50;

export function recognise(claims: Readonly<Record<string, unknown>>, choice: Choice): Recognised {
  const refused = (text: string): Recognised => ({ kind: 'refused', text });
  const rpps = rppsOf(claims['SubjectNameID'] ?? claims['preferred_username']);
  if (rpps === undefined) return refused('the professional has no RPPS number');
  const assurance = (textOf(claims['Palier_Authentification']) ?? '').split('^')[0] ?? '';
  if (!choice.assurance.includes(assurance)) {
    return refused('the professional was not recognised as surely as is asked for here');
  }
  const practices = practicesOf(claims['SubjectRefPro']);
  if (practices.length === 0) return refused('the professional has no professional situation');
  const places = practices.flatMap(({ profession, activities }) =>
    (activities.length === 0 ? [{ finess: undefined, names: [] }] : activities).map((one) => ({ profession, ...one })),
  );
  const { activity } = choice;
  const chosen = activity === undefined ? places : places.filter(({ names }) => names.includes(activity));
  if (chosen.length === 0) return refused('the activity that was named is none of the professional’s');
  const [place] = chosen;
  if (place === undefined || new Set(chosen.map(({ finess }) => finess)).size > 1) {
    return refused('the professional has several activities: name one in the header X-Activity');
  }
  const { profession, finess } = place;
  const role = professions.test(profession) ? 'professional' : 'administrative';
  return { kind: 'ok', professional: { rpps, finess, role, name: nameOf(claims), assurance } };
}

/** Health professions have two digits (TRE_G15); the other trades of the directory have letters. */
const professions = /^\d{2}$/;

/** The national identifier of a person: `8` and the RPPS number. */
function rppsOf(value: unknown): string | undefined {
  return /^8(\d{11})$/.exec(typeof value === 'string' ? value : '')?.[1];
}

function practicesOf(value: unknown): readonly Practice[] {
  return members(value, 'exercices')
    .slice(0, practicesMax)
    .map((practice) => ({
      profession: textOf(practice['codeProfession']) ?? '',
      activities: members(practice, 'activities').slice(0, practicesMax).map(activityOf),
    }));
}

function activityOf(activity: Readonly<Record<string, unknown>>): Activity {
  const finess = /^[\dAB]{9}$/.exec(textOf(activity['numeroFinessSite']) ?? '')?.[0];
  const technical = textOf(activity['identifiantTechniqueDeLaStructure']);
  return { finess, names: [finess, technical].filter((one) => one !== undefined) };
}

function members(value: unknown, name: string): readonly Readonly<Record<string, unknown>>[] {
  const list: unknown = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : [];
  const isMember = (one: unknown): one is Readonly<Record<string, unknown>> => typeof one === 'object' && one !== null;
  return Array.isArray(list) ? list.filter(isMember) : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function nameOf({ given_name, family_name }: Readonly<Record<string, unknown>>): string | undefined {
  const name = [given_name, family_name].flatMap((one) => textOf(one) ?? []).join(' ');
  return name === '' ? undefined : plainLine(name, 200);
}

/** Text of others as one line without control characters. */
export function plainLine(text: string, lengthMax: number): string {
  return text
    .slice(0, lengthMax * 2)
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, lengthMax);
}
