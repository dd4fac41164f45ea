// Entries that are set apart: what a device wrote after it was revoked, or beyond a fork. They are never
// dropped and never stand among those that count.
import type { EntryRow } from '../desk/types';

/** Reasons that say: after the revocation. */
const revoked = new Set(['revoked', 'not-the-cuts-head']);

export interface Apart { key: string; device: string; revoked: boolean; entries: EntryRow[] }

/** The entries that stand in their place, and those set apart, by device and whether it was revoked. */
export function parted(entries: EntryRow[]): { standing: EntryRow[]; apart: Apart[] } {
  const standing: EntryRow[] = [];
  const apart = new Map<string, Apart>();
  for (const entry of entries) {
    if (entry.status !== 'quarantined') { standing.push(entry); continue; }
    const after = revoked.has(entry.why ?? '');
    const key = JSON.stringify([entry.agency, entry.device, after]);
    const held = apart.get(key) ?? { key, device: entry.device, revoked: after, entries: [] };
    held.entries.push(entry);
    apart.set(key, held);
  }
  return { standing, apart: [...apart.values()] };
}
