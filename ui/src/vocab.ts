// Categories from the code lists, with labels and what people may type for them.
import more from '../../schemas/vocab/synonyms.json';
import { own } from './shared/own';

type Item = { id?: string; label_en?: string; label_fr?: string | null; label_fr_proposal?: string | null; label_ar_proposal?: string; definition?: string; synonyms?: unknown };
type List = { items?: Item[] };

// Only the four lists that an incident may be classified by; the others are for other screens.
const lists = import.meta.glob<List>(
  ['../../schemas/vocab/emb_operational_incidents.json', '../../schemas/vocab/cyber_incident_rsit.json', '../../schemas/vocab/election_violence.json', '../../schemas/vocab/information_incidents.json'],
  { eager: true, import: 'default' },
);
const domains: Record<string, string[]> = {
  ops: ['operational'], rsit: ['cyber'], act: ['physical'], info: ['information'],
};

export interface Category { code: string; en: string; fr: string; ar: string; about: string; words: string; domains: string[] }

// Words of the project's own, Arabic ones among them.
const further = more.words as Record<string, Record<string, string[]>>;

const plain = (text: string) => text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');

function read(): Category[] {
  const found: Category[] = [];
  for (const list of Object.values(lists)) {
    for (const { id, label_en, label_fr, label_fr_proposal, label_ar_proposal, definition, synonyms } of list.items ?? []) {
      const scheme = id?.split(':')[0] ?? '';
      // The list on violence also names motives, places and persons: those classify no incident.
      if (!id || !label_en || !domains[scheme]) continue;
      const fr = label_fr ?? label_fr_proposal ?? label_en;
      const ar = label_ar_proposal ?? label_en;
      const words = plain([label_en, fr, ar, JSON.stringify(synonyms ?? ''), JSON.stringify(own(further, id) ?? ''), id].join(' '));
      found.push({ code: id, en: label_en, fr, ar, about: definition ?? '', words, domains: domains[scheme] ?? [] });
    }
  }
  return found;
}

export const categories = read();
const byCode = new Map(categories.map((category) => [category.code, category]));

/** The label of a code; an unknown code is shown bare. */
export function label(code: string, language: string): string {
  const category = byCode.get(code);
  if (!category) return code;
  return language === 'fr' ? category.fr : language === 'ar' ? category.ar : category.en;
}

export const domainsOf = (code: string): string[] => own(domains, code.split(':')[0] ?? '') ?? [];

/** Categories in which every word occurs, those whose label starts so first. */
export function matching(text: string): Category[] {
  const words = plain(text).split(/\s+/).filter(Boolean);
  const first = words[0] ?? '';
  const rank = ({ en, fr, ar }: Category) => ([en, fr, ar].some((said) => plain(said).startsWith(first)) ? 0 : 1);
  return categories.filter((category) => words.every((word) => category.words.includes(word))).sort((a, b) => rank(a) - rank(b)).slice(0, 8);
}
