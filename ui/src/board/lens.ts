// What the board and the map are narrowed to, and the views of one's own that are kept of it.
import type { BoardQuery } from '../desk/types';

/** `references`: the rows of a report's figure, and no others; a view that is kept has none. */
export interface Lens { view: string; search: string; state: string; category: string; severity: number; references: string[] }
export interface Saved { name: string; lens: Lens }

/** `g` and a digit come to each. */
export const MAX_SAVED = 9;
/** What fits beside the number in the column of views. */
export const MAX_NAME = 40;
const MAX_SEARCH = 200;
/** The vault's bound for a code (logbook::vocab::MAX_CODE). */
const MAX_CODE = 96;

/** What the desk is asked for. */
export const asked = ({ view, search, state, category, severity, references }: Lens): Omit<BoardQuery, 'limit' | 'offset'> => ({
  view, search: search.trim() || undefined, state: state || undefined, category: category || undefined, severity: severity || undefined, references: references.length > 0 ? references : undefined,
});

export const same = (a: Lens, b: Lens): boolean =>
  a.view === b.view && a.search.trim() === b.search.trim() && a.state === b.state && a.category === b.category && a.severity === b.severity && a.references.join() === b.references.join();

const text = (value: unknown, max: number): value is string => typeof value === 'string' && value.length <= max;
// A code is looked up and shown, never more; a newer one than ours is kept.
const code = (value: unknown): value is string => text(value, MAX_CODE) && /^[a-z0-9.:-]*$/.test(value);

function lensOf(found: unknown, views: string[]): Lens | null {
  if (typeof found !== 'object' || found === null) return null;
  const { view, search, state, category, severity } = found as Record<string, unknown>;
  if (!text(view, 20) || !views.includes(view) || !text(search, MAX_SEARCH) || !code(state) || !code(category)) return null;
  if (typeof severity !== 'number' || ![0, 1, 2, 3, 4].includes(severity)) return null;
  return { view, search, state, category, severity, references: [] };
}

/** The screen and the lens out of the setting; nothing where they cannot be read. */
export function placeFrom(setting: string | null, screens: string[], views: string[]): { screen: string; lens: Lens } | null {
  let found: unknown;
  try { found = JSON.parse(setting ?? 'null'); } catch { return null; }
  if (typeof found !== 'object' || found === null) return null;
  const { screen, lens } = found as Record<string, unknown>;
  const read = lensOf(lens, views);
  return text(screen, 20) && screens.includes(screen) && read ? { screen, lens: read } : null;
}

/** The views out of the setting. What cannot be read is left out, and never more than nine are taken. */
export function savedFrom(setting: string | null, views: string[]): Saved[] {
  let list: unknown;
  try { list = JSON.parse(setting ?? '[]'); } catch { return []; }
  if (!Array.isArray(list)) return [];
  const found: Saved[] = [];
  for (const one of list.slice(0, MAX_SAVED) as unknown[]) {
    const { name, lens } = (typeof one === 'object' && one !== null ? one : {}) as Record<string, unknown>;
    const read = lensOf(lens, views);
    if (read && text(name, MAX_NAME) && name.trim() && !found.some((other) => other.name === name)) found.push({ name, lens: read });
  }
  return found;
}

/** The list with this view in it: one of the same name is replaced, and there is no tenth. */
export function kept(list: Saved[], name: string, lens: Lens): Saved[] {
  const one = { name: name.trim().slice(0, MAX_NAME), lens: { ...lens, references: [], search: lens.search.trim().slice(0, MAX_SEARCH) } };
  if (!one.name) return list;
  const at = list.findIndex((other) => other.name === one.name);
  if (at >= 0) return list.with(at, one);
  return list.length < MAX_SAVED ? [...list, one] : list;
}

/** Under another name; a name that another view has is not taken. */
export function renamed(list: Saved[], from: string, to: string): Saved[] {
  const name = to.trim().slice(0, MAX_NAME);
  if (!name || list.some((other) => other.name === name)) return list;
  return list.map((one) => (one.name === from ? { ...one, name } : one));
}
