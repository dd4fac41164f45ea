import { describe, expect, it } from 'vitest';
import { bytes, countdown, rfc3339, span, typedTime } from './time';

describe('spans', () => {
  it('are short', () => {
    expect(span(12_000)).toBe('12 s');
    expect(span(33 * 60_000)).toBe('33 min');
    expect(span(82 * 60_000)).toBe('1 h 22');
    expect(span(72 * 3_600_000)).toBe('3 d');
  });
  it('count down', () => {
    expect(countdown(88_000)).toBe('1:28');
    expect(countdown(-3_723_000)).toBe('1:02:03');
  });
});

describe('a typed time', () => {
  const now = new Date(2026, 9, 4, 20, 41, 7).getTime();
  const told = (text: string) => typedTime(text, now);
  it('is today at that hour', () => {
    for (const text of ['20:38', '2038', '20.38', '20h38', ' 20:38 ']) expect(told(text)).toEqual(new Date(2026, 9, 4, 20, 38));
  });
  it('is yesterday when the hour is still to come', () => expect(told('23:50')).toEqual(new Date(2026, 9, 3, 23, 50)));
  it('is minutes ago', () => expect(told('-5')).toEqual(new Date(now - 300_000)));
  it('may carry a date', () => expect(told('3/10 07:05')).toEqual(new Date(2026, 9, 3, 7, 5)));
  it('is refused otherwise', () => {
    for (const text of ['25:00', '20:61', 'noon', '31/2 10:00', '20:38x', '']) expect(told(text), text).toBeNull();
  });
  it('travels with the offset of the writer', () => expect(new Date(rfc3339(new Date(now))).getTime()).toBe(now));
});

it('says sizes shortly', () => expect([812, 48_213, 2_418_337].map(bytes)).toEqual(['812 B', '48.2 kB', '2.4 MB']));
