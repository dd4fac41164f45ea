// Times as people read them: 24 h, tabular, the zone on hover. Digits are the same in every
// language, so that a time read aloud over the radio is the time on the screen.
const part = (options: Intl.DateTimeFormatOptions) => (at: Date | string | number): string =>
  new Date(at).toLocaleString('en-GB', options);

export const clock = part({ hour: '2-digit', minute: '2-digit' });
export const clockSeconds = part({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
export const full = part({ day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' });
const date = part({ day: 'numeric', month: 'short' });

/** The time, with the day in front where it is not today's. */
export function dayClock(at: Date | string | number, now: number): string {
  return new Date(at).toDateString() === new Date(now).toDateString() ? clock(at) : `${date(at)} ${clock(at)}`;
}

/** A span of milliseconds: `33 min`, `1 h 22`, `3 d`. */
export function span(ms: number): string {
  const minutes = Math.floor(Math.abs(ms) / 60_000);
  if (minutes < 1) return `${Math.floor(Math.abs(ms) / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${String(minutes % 60).padStart(2, '0')}` : `${Math.floor(hours / 24)} d`;
}

/** A countdown: `1:28`, `1:02:03`. */
export function countdown(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/**
 * A time as typed: `20:38`, `2038`, `8.38`, `-5` (five minutes ago), or a date and a time such as
 * `3/10 20:38`. A time of day later than now is yesterday's. Null when it cannot be read.
 */
export function typedTime(text: string, now: number): Date | null {
  const said = text.trim();
  const back = /^-\s*(\d{1,3})$/.exec(said);
  if (back) return new Date(now - Number(back[1]) * 60_000);
  const found = /^(?:(\d{1,2})[/.](\d{1,2})(?:[/.](\d{4}))?[ ,]+)?(\d{1,2})[:.h]?(\d{2})$/.exec(said);
  if (!found) return null;
  const [, day, month, year, hour, minute] = found.map(Number);
  if ((hour ?? 99) > 23 || (minute ?? 99) > 59) return null;
  const at = new Date(now);
  at.setHours(hour ?? 0, minute ?? 0, 0, 0);
  if (found[1]) {
    at.setFullYear(found[3] ? (year ?? 0) : at.getFullYear(), (month ?? 1) - 1, day ?? 1);
    if (at.getDate() !== day || at.getMonth() !== (month ?? 1) - 1) return null;
    return at;
  }
  if (at.getTime() > now + 60_000) at.setDate(at.getDate() - 1);
  return at;
}

/** RFC 3339 with this device's offset, so that the reader sees the writer's wall clock. */
export function rfc3339(at: Date): string {
  const two = (n: number) => String(Math.floor(Math.abs(n))).padStart(2, '0');
  const offset = -at.getTimezoneOffset();
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`;
}

/** Bytes for people: `812 B`, `48.2 kB`, `2.4 MB`. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  return n < 1_000_000 ? `${(n / 1000).toFixed(1)} kB` : `${(n / 1_000_000).toFixed(1)} MB`;
}
