// Where the person was when the window was closed: which screen, and what the board was narrowed to. Kept
// in the vault, because what somebody looked at is nobody else's business; words searched for are not kept.
import { desk } from '../desk/client';
import { app, lens, views, type View } from '../state.svelte';
import { placeFrom } from './lens';

const SETTING = 'place';
// A record is opened anew: its reference may belong to what this person sees no more.
const screens: View[] = ['board', 'log', 'referrals', 'exchange', 'roster', 'map', 'wall', 'reports', 'silent'];
let before = '';
let waiting: ReturnType<typeof setTimeout> | undefined;

/** Goes on where the window was left. What cannot be read is left out. */
export async function resume() {
  const found = placeFrom(await desk.setting(SETTING).catch(() => null), screens, views.map(([name]) => name));
  before = found ? JSON.stringify(found) : '';
  if (!found || app.view !== 'board') return;
  app.view = found.screen as View;
  Object.assign(lens, found.lens);
}

/** Remembers where the person is, once they have been there for a moment. */
export function keepPlace() {
  const screen = app.view === 'incident' ? 'board' : app.view;
  const now = JSON.stringify({ screen, lens: { ...lens, search: '', references: [] } });
  clearTimeout(waiting);
  if (now === before) return;
  waiting = setTimeout(() => {
    before = now;
    void desk.keepSetting(SETTING, now).catch(() => undefined);
  }, 500);
}
