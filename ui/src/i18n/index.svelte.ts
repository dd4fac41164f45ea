// The catalogue in the chosen language; kept on this device.
import { ar } from './ar';
import { en, type Words } from './en';
import { fr } from './fr';

const all: Record<string, Words> = { en, fr, ar };
export const languages = ['en', 'fr', 'ar'];
export const tongues: Record<string, string> = { en: 'English', fr: 'Français', ar: 'العربية' };

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

/** A word or sentence. `{n}` is filled in; `{n:entry|entries}` takes the first form for one. */
export function t(key: keyof Words, fill: Record<string, string | number> = {}): string {
  const words = all[tongue.code] ?? en;
  return words[key]
    .replace(/\{(\w+):([^|}]*)\|([^}]*)\}/g, (_, name: string, one: string, many: string) => (Number(fill[name]) === 1 ? one : many))
    .replace(/\{(\w+)\}/g, (_, name: string) => typeof fill[name] === 'string' ? iso(fill[name]) : String(fill[name] ?? ''));
}

/** Text of its own direction, so that neither side disturbs the other; only where directions mix. */
export const iso = (text: string): string => (text && tongue.code === 'ar' ? `\u2068${text}\u2069` : text);

/** `a, b and c` as the language says it. */
export const listed = (names: string[]): string => new Intl.ListFormat(tongue.code, { type: 'conjunction' }).format(names.map(iso));

/** `a, b or c` as the language says it. */
export const either = (names: string[]): string => new Intl.ListFormat(tongue.code, { type: 'disjunction' }).format(names.map(iso));
