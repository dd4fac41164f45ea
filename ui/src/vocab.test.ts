import { expect, it } from 'vitest';
import { categories, label, matching } from './vocab';

it('finds a category by any of its words, in two languages', () => {
  expect(categories.length).toBeGreaterThan(100);
  expect(matching('ballot box').length).toBeGreaterThan(0);
  expect(label('x:unknown', 'en')).toBe('x:unknown');
});
it('finds a category by what people call it, in three languages and without accents', () => {
  const found = (text: string) => matching(text).map((category) => category.code);
  expect(found('window broken')).toContain('act:property-damage');
  expect(found('affiches arrachees')).toContain('act:poster-removal');
  expect(found('طابور')).toContain('ops:queue');
  expect(found('اغلاق')).toContain('ops:early-closing');
});
