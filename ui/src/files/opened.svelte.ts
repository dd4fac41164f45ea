// The file with which the system opened the window: a parcel is read as soon as the vault is open, a
// dossier is judged.
import { desk } from '../desk/client';
import { attempt } from '../state.svelte';

export const opened = $state({
  /** A parcel that waits to be read. */
  parcel: '',
  /** A dossier that is looked at; empty: which one is asked; absent: none. */
  dossier: null as string | null,
});

/** The name of a file, without its folder. */
export const fileName = (path: string): string => path.split('/').at(-1) ?? path;

export async function takeOpened() {
  const path = await attempt(desk.openedFile);
  if (!path) return;
  if (path.toLowerCase().endsWith('.parcel')) opened.parcel = path;
  else opened.dossier = path;
}
