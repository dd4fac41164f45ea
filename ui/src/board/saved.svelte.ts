// The views of one's own: kept in this device's vault, with the number of incidents in each.
import { desk } from '../desk/client';
import { app, attempt, lens, views } from '../state.svelte';
import { asked, kept, renamed, same, savedFrom, type Saved } from './lens';
import { inTurn } from '../shared/inTurn';
import { place } from './place.svelte';

const SETTING = 'views';
export const saved = $state({ list: [] as Saved[], counts: {} as Record<string, number> });

/** The view that is on, if it is one of one's own. */
export const current = (): Saved | undefined => saved.list.find((one) => same(one.lens, lens));

export async function readSaved() {
  saved.list = savedFrom((await attempt(() => desk.setting(SETTING))) ?? null, views.map(([name]) => name));
  await count();
}

async function put(list: Saved[]) {
  saved.list = list;
  await attempt(() => desk.keepSetting(SETTING, JSON.stringify(list)));
  await count();
}
export const keep = (name: string) => put(kept(saved.list, name, { ...lens }));
export const rename = (from: string, to: string) => put(renamed(saved.list, from, to));
export const drop = (name: string) => put(saved.list.filter((one) => one.name !== name));

/** Narrows the board and the map to a view; the number is the key after `g`, from 1. */
export function show(number: number): boolean {
  const one = saved.list[number - 1];
  if (!one) return false;
  [place.selected, place.at] = ['', 0];
  Object.assign(lens, one.lens);
  return true;
}

/** How many incidents each view holds: at most nine short questions, and not while the vault is shut. */
export const count = inTurn(async () => {
  if (app.vault?.state !== 'open') return;
  for (const { name, lens: of } of saved.list) {
    const page = await desk.board({ ...asked(of), limit: 1, offset: 0 }).catch(() => null);
    if (page) saved.counts[name] = page.total;
  }
});
