// What the whole window knows: the vault's state, the roster, the exchange, the clock on the wall.
import type { Lens } from './board/lens';
import { desk, problem } from './desk/client';
import type { Counts, ErrorReport, ExchangeStatus, IncidentShow, RosterShow, StationRow, VaultStatus } from './desk/types';
import type { Words } from './i18n/en';
import { listed, t, tongue } from './i18n/index.svelte';
import { inTurn } from './shared/inTurn';
import { hold } from './shared/turns';

export type View = 'board' | 'log' | 'incident' | 'referrals' | 'exchange' | 'roster' | 'map' | 'wall' | 'reports' | 'silent';

export const app = $state({
  vault: null as VaultStatus | null,
  view: 'board' as View,
  reference: '',
  roster: null as RosterShow | null,
  exchange: null as ExchangeStatus | null,
  counts: null as Counts | null,
  error: null as ErrorReport | null,
  said: '',
  undo: null as (() => Promise<void>) | null,
  now: Date.now(),
});

/** The saved views: their name, their words, and the number that stands beside them. */
export const views: [string, keyof Words, keyof Counts | null][] = [
  ['new', 'viewNew', 'new'], ['mine', 'viewMine', 'mine'], ['waiting', 'viewWaiting', 'unanswered'],
  ['overdue', 'viewOverdue', 'overdue'], ['critical', 'viewCritical', 'critical'], ['open', 'viewOpen', 'open'], ['all', 'viewAll', null],
];

/** What the board and the map are narrowed to, so that both show the same. */
export const lens = $state<Lens>({ view: 'open', search: '', state: '', category: '', severity: 0, references: [] });

/** The scripted night of an exercise, as far as it was played here. */
export const night = $state({ playing: false, done: 0, total: 0, error: '' });

/** How the Log form stands: short, for what is told by radio or phone; and the station it is opened for. */
export const logging = $state({ told: false, station: null as StationRow | null });

setInterval(() => { app.now = Date.now(); }, 1000);

export function go(view: View, reference = app.reference) {
  app.view = view;
  app.reference = reference;
  app.error = null;
}

/** Runs a command; what goes wrong is shown with what is safe and what to do next. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  const before = app.error;
  try {
    const done = await work();
    // What another was refused meanwhile stays told.
    if (app.error === before) app.error = null;
    return done;
  } catch (error) {
    app.error = problem(error);
    return undefined;
  }
}

/** What a read in the background could not do, as long as that is what is shown. */
let glanced: ErrorReport | null = null;
/** Reads in the background: what a person's own step was refused stays told. */
export async function glance<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    const done = await work();
    if (glanced !== null && app.error === glanced) app.error = null;
    return done;
  } catch (error) {
    if (app.error === null || app.error === glanced) {
      app.error = problem(error);
      glanced = app.error;
    }
    return undefined;
  }
}

/** Says what was done; where a later entry can set it back, how. Both entries stay in the trail. */
export function did(what: string, back: (() => Promise<void>) | null) {
  app.undo = back;
  app.said = back ? `${what} · ${t('undoHint')}` : what;
}

/** Reads anew what the screen shows, where a screen has something to read. */
export const screen: { again: (() => Promise<unknown>) | null } = { again: null };

export async function takeBack() {
  const back = app.undo;
  if (!back) return;
  app.undo = null;
  app.said = t('working');
  const set = async () => {
    const done = await attempt(async () => { await back(); return t('undone'); });
    // What the next key sets back to is what stands now.
    await screen.again?.();
    return done ?? '';
  };
  app.said = await hold(set());
}

/** Reads how the exchange stands, and the roster: an older answer never stands over a newer one. */
export const readExchange = inTurn(() => glance(() => desk.exchange()), (found) => { app.exchange = found; });
export const readRoster = inTurn(() => glance(() => desk.roster()), (found) => { app.roster = found; });

export async function refresh() {
  app.now = Date.now();
  app.vault = await desk.status();
  if (app.vault.state === 'open') {
    await readRoster();
    await readExchange();
    remember();
  }
}

// What Unlock may say before the passphrase is given: the election, the device, the last exchange.
// No name of a person is among it, and nothing out of a record.
export interface Before { operation: string | null; device: string | null; last: string | null }
function remember() {
  const { operation, device, last_sync } = app.vault ?? {};
  localStorage.setItem('before', JSON.stringify({ operation, device, last: last_sync }));
}
export function before(): Before | null {
  try {
    return JSON.parse(localStorage.getItem('before') ?? 'null') as Before | null;
  } catch {
    return null;
  }
}

export function agencyName(id: string): string {
  return app.roster?.agencies.find((agency) => agency.id === id)?.name ?? id;
}

/** The other institutions. */
export function others(): { id: string; name: string }[] {
  return (app.roster?.agencies ?? []).filter((agency) => agency.id !== app.vault?.agency).map(({ id, name }) => ({ id, name }));
}

/** Who can read, as a sentence in the person's language; the desk's own words where they are English. */
export function readers(shown: IncidentShow): string {
  if (tongue.code === 'en') return shown.audience_sentence;
  const names = shown.audience.map((id) => {
    const device = app.roster?.devices.find((held) => held.id === id);
    return device ? t('theDevice', { name: device.name }) : agencyName(id);
  });
  if (names.length === 0) return t('readersNone');
  return t(names.length === 1 ? 'readersOne' : 'readers', { names: listed(names) });
}

/** Whether a key press belongs to a field or a dialog rather than to the screen. */
export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest('dialog') !== null);
}
