// The board reads pages of a list that grows on top while someone works in it. Reading anew finds the
// selected row again wherever it went, so that neither the row nor the keys jump.
import type { BoardPage, BoardRow, Counts } from '../desk/types';

/** Rows that are asked for at once. */
export const PAGE = 200;
export type Read = (limit: number, offset: number) => Promise<BoardPage>;
/** What was there before: the rows in view, the selected row and its place, and how many there were. */
export interface Before { from: number; to: number; id: string; at: number; total: number }
export interface Found { rows: Record<number, BoardRow>; total: number; counts: Counts | null; at: number; moved: number }

/**
 * Reads what was in view. `at` is where the selected row stands now, or -1 when the list no longer
 * holds it; `moved` is by how many places it went down.
 */
export async function anew(read: Read, before: Before): Promise<Found> {
  const rows: Record<number, BoardRow> = {};
  const seen = new Set<number>();
  let total = 0;
  let counts: Counts | null = null;
  const page = async (index: number) => {
    const offset = Math.max(0, Math.floor(index / PAGE) * PAGE);
    if (seen.has(offset) || (seen.size > 0 && offset >= total)) return;
    seen.add(offset);
    const got = await read(PAGE, offset);
    ({ total, counts } = got);
    got.items.forEach((row, at) => { rows[offset + at] = row; });
  };
  const find = () => Number(Object.entries(rows).find(([, row]) => row.id === before.id)?.[0] ?? -1);

  await page(before.from);
  let at = before.id ? find() : -1;
  if (before.id && at < 0) {
    // Where it was, moved by as many as came, and the page on either side of that.
    const there = before.at + Math.max(0, total - before.total);
    for (const guess of [there, before.at, there + PAGE, there - PAGE]) {
      await page(Math.max(0, Math.min(guess, total - 1)));
      at = find();
      if (at >= 0) break;
    }
  }
  const moved = at < 0 ? 0 : at - before.at;
  for (const edge of [before.from + moved, before.to + moved - 1]) await page(Math.max(0, Math.min(edge, total - 1)));
  return { rows, total, counts, at, moved };
}

/** Rows beyond the window of the list that are read before they are scrolled into it. */
const AHEAD = 100;
/** Rows that are held at most, so that a long scroll does not fill the memory. */
const HELD = 4000;

/**
 * The page to read next: of what is in view first, then of what a moment's scrolling brings into it; -1
 * where nothing is missing. `asking`: the pages that are on their way.
 */
export function missing(rows: Record<number, BoardRow>, { from, to }: { from: number; to: number }, total: number, asking: ReadonlySet<number>): number {
  const look = (first: number, last: number) => {
    for (let index = Math.max(0, first); index < Math.min(last, total); index += 1) {
      const offset = Math.floor(index / PAGE) * PAGE;
      if (!rows[index] && !asking.has(offset)) return offset;
    }
    return -1;
  };
  return [look(from, to), look(to, to + AHEAD), look(from - AHEAD, from)].find((offset) => offset >= 0) ?? -1;
}

/** The rows with a page more; of very many, those around what is in view. */
export function joined(rows: Record<number, BoardRow>, page: BoardRow[], offset: number, { from, to }: { from: number; to: number }): Record<number, BoardRow> {
  const all = { ...rows };
  page.forEach((row, at) => { all[offset + at] = row; });
  const held = Object.keys(all);
  if (held.length <= HELD) return all;
  // Half as many, so that this is not done again for each page.
  for (const at of held.map(Number)) if (at < from - HELD / 4 || at > to + HELD / 4) delete all[at];
  return all;
}
