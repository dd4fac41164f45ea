import { expect, it, vi } from 'vitest';
import { cutWords, groups, named, onStick } from './words';

// The chosen language is kept by the window; here there is none.
vi.hoisted(() => { vi.stubGlobal('localStorage', { getItem: () => 'en' }); });

it('reads an id out in groups, and loses none of it', () => {
  const id = '0123456789abcdef'.repeat(4);
  expect(groups(id)).toHaveLength(16);
  expect(groups(id).join('')).toBe(id);
  expect(groups('')).toEqual([]);
});

it('says up to where entries count, and what lies beyond', () => {
  expect(cutWords(0, null, 3)).toBe('None of its entries counts. 3 known here lie beyond. Like all that it writes later: kept, shown apart, not counted.');
  expect(cutWords(31, null, 1)).toContain('up to no. 31. 1 known here lies beyond');
  expect(cutWords(34, '2026-10-04T20:55:20+02:00', 0)).toMatch(/up to no\. 34, \d\d:\d\d:20\. Nothing known here lies beyond/);
});

it('names a device with its operator, and a file after it', () => {
  expect(named({ name: 'JOC 2', operator: 'Deputy' })).toBe('JOC 2 (Deputy)');
  expect(named({ name: 'JOC 2', operator: '' })).toBe('JOC 2');
  expect(onStick('Field 12', 'question')).toBe('/media/stick/field-12.question');
  expect(onStick('../../etc', 'x')).toBe('/media/stick/etc.x');
  expect(onStick('مكتب', 'x')).toBe('/media/stick/device.x');
});
