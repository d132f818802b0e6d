/**
 * The twenty indicators: what each counts, in the words of the tables that the engine keeps (migrations 0004, 0017). A
 * share counts expectations of a rule that were met in time, a delay measures from their anchor to their fulfilment, the
 * others look at the life of breaks. Definitions are published as Measure resources; the figures are SQL.
 */
export type Counting =
  /** Of the expectations of the rules, how many were met in time; what was in time and learned late is counted apart. */
  | { readonly kind: 'share'; readonly rules: readonly string[] }
  /** Days from the beginning of the expectation to its fulfilment. */
  | { readonly kind: 'delay'; readonly rules: readonly string[] }
  /** Of the finished stays (expectations of `among`), how many were followed within so many days by a break of `rule`. */
  | { readonly kind: 'return'; readonly rule: string; readonly among: string; readonly days: number }
  /** Of the active patients, those whose identity is qualified (VALI, with a national number), as it is now. */
  | { readonly kind: 'identities' }
  | { readonly kind: 'breaks'; readonly figure: BreakFigure };

export type BreakFigure =
  | 'acted-on'
  | 'hours-to-acknowledge'
  | 'hours-to-repair'
  | 'reopened'
  | 'false-positive'
  | 'auto-closed'
  | 'open-by-owner';

export interface Indicator {
  /** `ind-04`. */
  readonly id: string;
  readonly fr: string;
  readonly en: string;
  readonly counting: readonly Counting[];
  /** Which way is better. */
  readonly improves: 'increase' | 'decrease';
  /** A figure that was found elsewhere, with its source. */
  readonly reference?: string;
}

const share = (...rules: readonly string[]): Counting => ({ kind: 'share', rules });
const delay = (...rules: readonly string[]): Counting => ({ kind: 'delay', rules });
const breaks = (figure: BreakFigure): Counting => ({ kind: 'breaks', figure });

export const indicators: readonly Indicator[] = [
  {
    id: 'ind-01',
    fr: "Délai de l'adressage à la réponse diagnostique",
    en: 'Time from referral to diagnosis',
    counting: [delay('RUP-06')],
    improves: 'decrease',
    reference: 'NHS England : 28 jours',
  },
  {
    id: 'ind-02',
    fr: 'Délai du diagnostic au premier traitement',
    en: 'Time from diagnosis to first treatment',
    counting: [delay('RUP-12')],
    improves: 'decrease',
    reference: 'Francim : médianes de 9 à 44 jours selon la localisation',
  },
  {
    id: 'ind-03',
    fr: 'Délai de la RCP au premier traitement',
    en: 'Time from multidisciplinary meeting to first treatment',
    counting: [delay('RUP-11')],
    improves: 'decrease',
    reference: 'NHS England : 31 jours',
  },
  {
    id: 'ind-04',
    fr: 'Lettres de liaison établies le jour de la sortie',
    en: 'Discharge letters written on the day of discharge',
    counting: [share('RUP-20')],
    improves: 'increase',
    reference: 'HAS (QLS) : objectif de 80 %',
  },
  {
    id: 'ind-05',
    fr: 'Lettres remises au médecin traitant le jour même',
    en: 'Letters delivered to the GP on the same day',
    counting: [share('RUP-21')],
    improves: 'increase',
  },
  {
    id: 'ind-06',
    fr: 'Programmes personnalisés de soins remis dans les délais',
    en: 'Personalised care programmes handed over in time',
    counting: [share('RUP-13')],
    improves: 'increase',
  },
  {
    id: 'ind-07',
    fr: 'Plans de soins transmis au médecin traitant',
    en: 'Care plans sent to the GP',
    counting: [share('RUP-14')],
    improves: 'increase',
    reference: 'IGAS 2014 : 50 %',
  },
  {
    id: 'ind-08',
    fr: 'Plans de soins validés par le médecin traitant',
    en: 'Care plans validated by the GP',
    counting: [share('RUP-15')],
    improves: 'increase',
    reference: 'IGAS 2014 : 27 %',
  },
  {
    id: 'ind-09',
    fr: 'Appels du lendemain après chirurgie ambulatoire',
    en: 'Calls on the day after ambulatory surgery',
    counting: [share('RUP-22')],
    improves: 'increase',
  },
  {
    id: 'ind-10',
    fr: 'Retours aux urgences ou réhospitalisations non programmées à 30 et à 7 jours',
    en: 'Returns to the emergency room or unplanned readmissions within 30 and 7 days',
    counting: [30, 7].map((days) => ({ kind: 'return', rule: 'RUP-25', among: 'RUP-20', days }) as const),
    improves: 'decrease',
  },
  {
    id: 'ind-11',
    fr: 'Soins palliatifs précoces à 8 semaines',
    en: 'Early palliative care within 8 weeks',
    counting: [share('RUP-31')],
    improves: 'increase',
  },
  {
    id: 'ind-12',
    fr: 'Consultations de ville dans les 7 jours après la sortie',
    en: 'Visits within 7 days of discharge',
    counting: [share('RUP-23')],
    improves: 'increase',
  },
  {
    id: 'ind-13',
    fr: 'Rendez-vous manqués rattrapés',
    en: 'Missed appointments recovered',
    counting: [share('RUP-29')],
    improves: 'increase',
  },
  {
    id: 'ind-14',
    fr: 'Identités qualifiées, et qualifiées dans les délais',
    en: 'Identities that are qualified, and that became so in time',
    counting: [{ kind: 'identities' }, share('RUP-38')],
    improves: 'increase',
  },
  {
    id: 'ind-15',
    fr: 'Cercles de soins complets dans les délais',
    en: 'Care teams complete in time',
    counting: [share('RUP-33')],
    improves: 'increase',
  },
  {
    id: 'ind-16',
    fr: 'Ruptures prises en charge par une personne',
    en: 'Breaks that somebody acted on',
    counting: [breaks('acted-on')],
    improves: 'increase',
    reference: 'Essai thoracotomie : 84 % des alertes suivies',
  },
  {
    id: 'ind-17',
    fr: "Délais d'acquittement et de réparation, en heures",
    en: 'Hours to acknowledge and to repair',
    counting: [breaks('hours-to-acknowledge'), breaks('hours-to-repair')],
    improves: 'decrease',
  },
  {
    id: 'ind-18',
    fr: 'Réouvertures, faux positifs, fermetures spontanées',
    en: 'Reopened, false positive and self-closed breaks',
    counting: [breaks('reopened'), breaks('false-positive'), breaks('auto-closed')],
    improves: 'decrease',
  },
  {
    id: 'ind-19',
    fr: 'Charge : ruptures ouvertes par responsable',
    en: 'Load: open breaks by owner',
    counting: [breaks('open-by-owner')],
    improves: 'decrease',
  },
  {
    id: 'ind-20',
    fr: "Messages et demandes d'appui répondus dans les délais",
    en: 'Messages and requests for support answered in time',
    counting: [share('RUP-35', 'RUP-36'), delay('RUP-36')],
    improves: 'increase',
  },
];

/** Whether the group is a proportion, or measures something of each. */
export function isProportion(counting: Counting): boolean {
  if (counting.kind === 'delay') return false;
  return counting.kind !== 'breaks' || (!counting.figure.startsWith('hours') && counting.figure !== 'open-by-owner');
}

/** Code of the group, unique in its measure. */
export function groupCode(counting: Counting): string {
  if (counting.kind === 'breaks') return counting.figure;
  return counting.kind === 'return' ? `return-${counting.days}` : counting.kind;
}

/** What the figures of a group are told by. */
export function strataOf(counting: Counting): readonly Stratum[] {
  return counting.kind === 'breaks' ? strata : strata.filter((name) => name !== 'owner' && name !== 'state');
}

export const strata = ['site', 'territory', 'pathway', 'rule', 'owner', 'state'] as const;
export type Stratum = (typeof strata)[number];
