// The ladder on silence: after so many minutes without an answer, whom to alert. It is a setting of
// this device, by institution asked; what was alerted is told by notes on the record, and by nothing
// else, so that everybody who holds the record sees the same.
import type { EntryRow, ReferralItem } from '../desk/types';
import { own } from '../shared/own';
import { waits } from './steps';

export interface Rung { after: number; whom: string }
/** Rungs by the institution asked; `*` holds for every other. */
export type Ladder = Record<string, Rung[]>;

export const EVERY = '*';
/** More rungs than there are ranks to alert in one night. */
export const MAX_RUNGS = 4;
/** A week, in minutes: later than that silence is no longer a matter of alerts. */
export const MAX_AFTER = 10_080;
export const MAX_WHOM = 80;
const MAX_AGENCIES = 64;

function rungs(found: unknown): Rung[] {
  if (!Array.isArray(found)) return [];
  const read = (found.slice(0, MAX_RUNGS) as unknown[]).flatMap((one): Rung[] => {
    const { after, whom } = (typeof one === 'object' && one !== null ? one : {}) as Record<string, unknown>;
    const minutes = Number.isInteger(after) && Number(after) >= 1 && Number(after) <= MAX_AFTER;
    return minutes && typeof whom === 'string' && whom.trim() && whom.length <= MAX_WHOM ? [{ after: Number(after), whom: whom.trim() }] : [];
  });
  return ordered(read);
}

/** In the order of their minutes; of two at one minute the first stays. */
export const ordered = (list: Rung[]): Rung[] =>
  list.toSorted((a, b) => a.after - b.after).filter((rung, at, all) => at === 0 || rung.after !== all[at - 1]?.after);

/** The ladder out of the setting; what cannot be read is left out. */
export function ladderFrom(setting: string | null): Ladder {
  let found: unknown;
  try { found = JSON.parse(setting ?? '{}'); } catch { return {}; }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return {};
  return Object.fromEntries(Object.entries(found).slice(0, MAX_AGENCIES)
    .filter(([id]) => id === EVERY || /^[a-z0-9-]{1,64}$/.test(id))
    .map(([id, list]): [string, Rung[]] => [id, rungs(list)]).filter(([, list]) => list.length > 0));
}

export const rungsFor = (ladder: Ladder, agency: string): Rung[] => own(ladder, agency) ?? own(ladder, EVERY) ?? [];

/** The sign at the end of a note by which a rung is known again, in whatever language the note is. */
export const sign = (referral: string, rung: number): string => `[ladder ${referral.slice(0, 12)}/${rung + 1}]`;

/** The rungs of a referral that were alerted: told by valid notes of the institution that asked, so that nobody else can silence it. */
export function alertedIn(entries: EntryRow[], referral: Pick<ReferralItem, 'id' | 'from'>): number[] {
  const notes = entries.filter(({ action, agency, status }) => action === 'note' && agency === referral.from && (status === 'valid' || status === 'witnessed'));
  return Array.from({ length: MAX_RUNGS }, (_, rung) => rung).filter((rung) => notes.some(({ text }) => text.endsWith(sign(referral.id, rung))));
}

/** Whom to alert next, and in how many milliseconds; below nought the time is past. */
export interface Next { rung: number; whom: string; after: number; left: number; of: number }

/** The next rung of a referral that still waits for its first answer; null where there is none. */
export function next(ladder: Ladder, referral: Pick<ReferralItem, 'to' | 'state' | 'offered_at'>, alerted: number[], now: number): Next | null {
  if (!waits(referral.state)) return null;
  const list = rungsFor(ladder, referral.to);
  // A rung above one that was alerted counts as passed: who was alerted later was alerted.
  const rung = alerted.length > 0 ? Math.max(...alerted) + 1 : 0;
  const found = list[rung];
  if (!found) return null;
  return { rung, ...found, of: list.length, left: Date.parse(referral.offered_at) + found.after * 60_000 - now };
}
