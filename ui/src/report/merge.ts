// One text on two sides: what was typed here is carried onto what the others made of it. Positions are
// in UTF-16 units, as a text field counts them; nothing is cut inside a character.

export interface Change { at: number; gone: number; put: string }

/** Whether a place lies inside a character that takes two units. */
const inside = (text: string, at: number) => at > 0 && at < text.length && /[\uD800-\uDBFF]/.test(text[at - 1] ?? '') && /[\uDC00-\uDFFF]/.test(text[at] ?? '');

/** The one change that makes one text of another; null where they are the same. */
export function change(before: string, after: string): Change | null {
  if (before === after) return null;
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  if (inside(before, start) || inside(after, start)) start -= 1;
  let end = 0;
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  if (inside(before, before.length - end) || inside(after, after.length - end)) end -= 1;
  return { at: start, gone: before.length - start - end, put: after.slice(start, after.length - end) };
}

/** Where a place of one text is found in another that was made of it. */
export function moved(place: number, before: string, after: string): number {
  const made = change(before, after);
  if (!made || place <= made.at) return Math.min(place, after.length);
  if (place >= made.at + made.gone) return place - made.gone + made.put.length;
  return made.at + made.put.length;
}

/** `mine`, made of `base`, carried onto `theirs`, which was made of `base` too. */
export function carried(base: string, mine: string, theirs: string): string {
  const made = change(base, mine);
  if (!made) return theirs;
  const at = moved(made.at, base, theirs);
  const end = Math.max(at, moved(made.at + made.gone, base, theirs));
  return theirs.slice(0, at) + made.put + theirs.slice(end);
}
