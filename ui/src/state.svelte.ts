// What the whole window knows: the vault's state, the roster, the exchange, the clock on the wall.
import { desk, problem } from './desk/client';
import type { ErrorReport, ExchangeStatus, RosterShow, VaultStatus } from './desk/types';

export type View = 'board' | 'log' | 'incident' | 'exchange';

export const app = $state({
  vault: null as VaultStatus | null,
  view: 'board' as View,
  reference: '',
  roster: null as RosterShow | null,
  exchange: null as ExchangeStatus | null,
  error: null as ErrorReport | null,
  said: '',
  now: Date.now(),
});

setInterval(() => { app.now = Date.now(); }, 1000);

export function go(view: View, reference = app.reference) {
  app.view = view;
  app.reference = reference;
}

/** Runs a command; what goes wrong is shown with what is safe and what to do next. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    const done = await work();
    app.error = null;
    return done;
  } catch (error) {
    app.error = problem(error);
    return undefined;
  }
}

export async function refresh() {
  app.vault = await desk.status();
  if (app.vault.state === 'open') {
    app.roster = await desk.roster();
    app.exchange = await desk.exchange();
  }
}

export function agencyName(id: string): string {
  return app.roster?.agencies.find((agency) => agency.id === id)?.name ?? id;
}

/** The other institutions. */
export function others(): { id: string; name: string }[] {
  return (app.roster?.agencies ?? []).filter((agency) => agency.id !== app.vault?.agency).map(({ id, name }) => ({ id, name }));
}
