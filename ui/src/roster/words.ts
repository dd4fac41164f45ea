// What is said of devices, and how an id is read out.
import { t } from '../i18n/index.svelte';
import { clockSeconds } from '../shared/time';

/** An id in groups of four digits, to be compared by ear. */
export const groups = (id: string): string[] => id.match(/.{1,4}/g) ?? [];

/** A name with whoever acts there, where that is known. */
export const named = ({ name, operator }: { name: string; operator: string }): string => (operator ? `${name} (${operator})` : name);

/** Up to where entries count, and what lies beyond; nothing known beyond is said too. */
export function cutWords(cut: number, at: string | null, apart: number): string {
  const upTo = cut === 0 ? t('cutNone') : at ? t('cutSaysAt', { n: cut, t: clockSeconds(at) }) : t('cutSays', { n: cut });
  return `${upTo} ${apart > 0 ? t('cutApart', { n: apart }) : t('cutClean')}`;
}

/** Where a file about a device may lie: on a stick, under the device's name. */
export const onStick = (device: string, kind: string): string => `/media/stick/${device.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'device'}.${kind}`;
