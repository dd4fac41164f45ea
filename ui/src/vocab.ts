// Categories from the code lists, with labels and what people may type for them.
type Item = { id?: string; code?: string; label_en?: string; label_fr?: string | null; synonyms?: unknown };
type List = { items?: Item[] };

const lists = import.meta.glob<List>('../../schemas/vocab/*.json', { eager: true, import: 'default' });
const schemes: Record<string, string> = {
  emb_operational_incidents: 'ops',
  cyber_incident_rsit: 'rsit',
  election_violence: 'act',
  information_incidents: 'info',
};
const domains: Record<string, string[]> = {
  ops: ['operational'], rsit: ['cyber'], act: ['physical'], info: ['information'],
};

export interface Category { code: string; en: string; fr: string; words: string; domains: string[] }

function read(): Category[] {
  const found: Category[] = [];
  for (const [path, list] of Object.entries(lists)) {
    const name = path.split('/').pop()?.replace('.json', '') ?? '';
    const scheme = schemes[name];
    if (!scheme) continue;
    for (const item of list.items ?? []) {
      const id = item.id ?? item.code;
      if (!id || !item.label_en) continue;
      const code = id.includes(':') ? id : `${scheme}:${id}`;
      const words = [code, item.label_en, item.label_fr ?? '', JSON.stringify(item.synonyms ?? '')].join(' ').toLowerCase();
      found.push({ code, en: item.label_en, fr: item.label_fr ?? item.label_en, words, domains: domains[scheme] ?? [] });
    }
  }
  return found;
}

export const categories = read();
const byCode = new Map(categories.map((category) => [category.code, category]));

/** The label of a code; an unknown code is shown bare. */
export function label(code: string, language: string): string {
  const category = byCode.get(code);
  return category ? (language === 'fr' ? category.fr : category.en) : code;
}

export function matching(text: string): Category[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = categories.filter((category) => words.every((word) => category.words.includes(word)));
  // What is called so comes before what only mentions it.
  const called = (category: Category) => Number(`${category.en} ${category.fr}`.toLowerCase().includes(text.trim().toLowerCase()));
  return fits.sort((a, b) => called(b) - called(a)).slice(0, 8);
}
