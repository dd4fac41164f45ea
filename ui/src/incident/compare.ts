// Two reports side by side: what differs, and which words of one line the other does not have.
export interface Side {
  id: string; reference: string; severity: number; summary: string; category: string; where: string; recorded_at: string; state: string; owner: string; exhibits: number;
}
export const compared = ['summary', 'severity', 'category', 'where', 'recorded_at', 'state', 'owner', 'exhibits'] as const;
export type Compared = (typeof compared)[number];

/** Reports of one matter are told minutes apart: only what lies further apart is worth a look. */
const MINUTES = 5;

export function differs(a: Side, b: Side, what: Compared): boolean {
  if (what === 'recorded_at') return Math.abs(Date.parse(a.recorded_at) - Date.parse(b.recorded_at)) > MINUTES * 60_000;
  return a[what] !== b[what];
}

const plain = (word: string) => word.toLowerCase().normalize('NFD').replace(/[^\p{L}\p{N}]/gu, '');

/** A line in words; `odd` are those that the other line does not have. Longer texts are not compared. */
export function against(text: string, other: string): { word: string; odd: boolean }[] {
  const [here, there] = [text.split(/(?<=\s)/), other.split(/\s+/)];
  if (here.length > 60 || there.length > 60) return [{ word: text, odd: false }];
  const held = new Set(there.map(plain));
  return here.map((word) => ({ word, odd: plain(word) !== '' && !held.has(plain(word)) }));
}
