// The ladder in use: read from this device's setting, held against the referrals from here that wait
// for an answer. Nothing runs by itself: a person alerts, and says so.
import { desk } from '../desk/client';
import type { EntryRow, ReferralItem } from '../desk/types';
import { iso, t } from '../i18n/index.svelte';
import { inTurn } from '../shared/inTurn';
import { span } from '../shared/time';
import { word } from '../i18n/codes';
import { agencyName, app, attempt } from '../state.svelte';
import { alertedIn, ladderFrom, next, rungsFor, sign, type Ladder, type Next } from './ladder';
import { waits } from './steps';

const SETTING = 'ladder';
/** Referrals whose records are looked at for notes: the oldest of those that wait. */
const LOOKED_AT = 50;

/** `alerted` by referral; what is not in it was not looked at. */
export const alerts = $state({ ladder: {} as Ladder, waiting: [] as ReferralItem[], alerted: {} as Record<string, number[]> });

export async function readLadder() {
  alerts.ladder = ladderFrom((await attempt(() => desk.setting(SETTING))) ?? null);
  await watch();
}
export async function keepLadder(ladder: Ladder) {
  alerts.ladder = ladder;
  await attempt(() => desk.keepSetting(SETTING, JSON.stringify(ladder)));
  await watch();
}

/** Looks anew at what waits. Without a ladder nothing is asked. */
export const watch = inTurn(async () => {
  if (app.vault?.state !== 'open' || Object.keys(alerts.ladder).length === 0) { alerts.waiting = []; return; }
  const list = await desk.referrals(false).catch(() => null);
  if (!list) return;
  const waiting = list.items.filter((item) => waits(item.state) && rungsFor(alerts.ladder, item.to).length > 0)
    .toSorted((a, b) => Date.parse(a.offered_at) - Date.parse(b.offered_at)).slice(0, LOOKED_AT);
  const alerted: Record<string, number[]> = {};
  for (const item of waiting) {
    const shown = await desk.show(item.record).catch(() => null);
    if (shown) alerted[item.id] = alertedIn(shown.entries, item);
  }
  [alerts.waiting, alerts.alerted] = [waiting, alerted];
});

/** The next rung of a referral from here, by the notes of its record where they are at hand. */
export function nextOf(referral: ReferralItem, entries?: EntryRow[]): Next | null {
  if (referral.from !== app.vault?.agency) return null;
  const alerted = entries ? alertedIn(entries, referral) : alerts.alerted[referral.id];
  return alerted ? next(alerts.ladder, referral, alerted, app.now) : null;
}

/** How many referrals wait for a person to alert someone, now. */
export const due = (): number => alerts.waiting.filter((item) => (nextOf(item)?.left ?? 1) <= 0).length;

/** Writes on the record who was alerted, by whom, and after how long without an answer. */
export async function alerted(referral: ReferralItem, rung: Next): Promise<void> {
  const text = t('alertedNote', {
    whom: rung.whom, by: app.vault?.operator ?? '', name: agencyName(referral.to), ask: word('ask', referral.ask), t: span(app.now - Date.parse(referral.offered_at)),
  });
  const done = await attempt(() => desk.note(referral.record, `${text} ${sign(referral.id, rung.rung)}`));
  if (done !== undefined) app.said = t('alertedSaid', { whom: iso(rung.whom), ref: referral.record });
  await watch();
}
