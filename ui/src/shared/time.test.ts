import { describe, expect, it } from 'vitest';
import { countdown, span } from './time';

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
