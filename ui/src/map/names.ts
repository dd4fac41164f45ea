// What a mark is called for those who listen.
import type { Words } from '../i18n/en';
import type { Mark } from './clusters';

const levels = ['none', 'minor', 'moderate', 'serious', 'criticalWord'] as const;
export const levelKey = (level: number): keyof Words => levels[level] ?? 'none';

export function markName(mark: Mark, t: (key: keyof Words, fill?: Record<string, string | number>) => string): string {
  if (mark.point) return `${t(levelKey(mark.worst))} · ${mark.point.reference} · ${mark.point.summary}`;
  return t('markMany', { n: mark.count, worst: t(levelKey(mark.worst)) });
}
