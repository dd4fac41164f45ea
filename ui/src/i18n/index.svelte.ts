// The catalogue in the chosen language; kept on this device.
import { ar } from './ar';
import { en, type Words } from './en';
import { fr } from './fr';

const all: Record<string, Words> = { en, fr, ar };
export const languages = ['en', 'fr', 'ar'];

function first(): string {
  const kept = localStorage.getItem('language');
  if (kept && all[kept]) return kept;
  const wanted = navigator.language.slice(0, 2);
  return all[wanted] ? wanted : 'en';
}

export const tongue = $state({ code: first() });

export function speak(code: string) {
  tongue.code = code;
  localStorage.setItem('language', code);
  document.documentElement.lang = code;
  document.documentElement.dir = code === 'ar' ? 'rtl' : 'ltr';
}

/** A word or sentence; `{name}` is filled in. */
export function t(key: keyof Words, fill: Record<string, string | number> = {}): string {
  const words = all[tongue.code] ?? en;
  return words[key].replace(/\{(\w+)\}/g, (_, name: string) => String(fill[name] ?? ''));
}
