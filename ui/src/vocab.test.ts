import { expect, it } from 'vitest';
import { categories, label, matching } from './vocab';

it('finds a category by any of its words, in two languages', () => {
  expect(categories.length).toBeGreaterThan(100);
  expect(matching('ballot box').length).toBeGreaterThan(0);
  expect(label('x:unknown', 'en')).toBe('x:unknown');
});
