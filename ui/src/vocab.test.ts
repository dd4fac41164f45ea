import { expect, it } from 'vitest';
import { categories, label, matching } from './vocab';

it('finds a category by any of its words, in three languages', () => {
  expect(categories.length).toBeGreaterThan(100);
  for (const said of ['ballot box', 'urne', 'صندوق']) expect(matching(said).map(({ code }) => code), said).toContain('ops:box-tampering');
  expect(label('x:unknown', 'en')).toBe('x:unknown');
});

it('has every category in three languages', () => {
  for (const { code, en, fr, ar } of categories) {
    expect(ar, `${code} in Arabic`).toMatch(/\p{Script=Arabic}/u);
    // Some French labels are the English word, none was left out.
    if (fr === en) expect(['Spam', 'Sabotage', 'Intrusions'], code).toContain(fr);
  }
  expect(label('ops:box-tampering', 'ar')).toBe('عبث بصندوق الاقتراع');
});

it('finds a category by what people call it, in three languages and without accents', () => {
  const found = (text: string) => matching(text).map((category) => category.code);
  expect(found('window broken')).toContain('act:property-damage');
  expect(found('affiches arrachees')).toContain('act:poster-removal');
  expect(found('طابور')).toContain('ops:queue');
  expect(found('اغلاق')).toContain('ops:early-closing');
});
