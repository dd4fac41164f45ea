import { expect, it } from 'vitest';
import { asked, kept, MAX_NAME, MAX_SAVED, renamed, same, savedFrom, type Lens } from './lens';

const lens: Lens = { view: 'open', search: ' box ', state: '', category: 'ops:box-tampering', severity: 4, references: [] };
const views = ['open', 'new'];

it('asks only for what narrows', () => {
  expect(asked({ view: 'all', search: ' ', state: '', category: '', severity: 0, references: [] })).toEqual({ view: 'all', search: undefined, state: undefined, category: undefined, severity: undefined });
  expect(asked(lens)).toEqual({ view: 'open', search: 'box', state: undefined, category: 'ops:box-tampering', severity: 4 });
});

it('comes back from the setting as it was kept', () => {
  const list = kept([], ' Boxes ', lens);
  const back = savedFrom(JSON.stringify(list), views);
  expect(back).toEqual([{ name: 'Boxes', lens: { ...lens, search: 'box' } }]);
  expect(same(back[0]?.lens ?? lens, lens)).toBe(true);
});

it('takes nothing out of a setting that is not a view', () => {
  for (const bad of [null, '', 'nonsense', '{}', '[1, null, "x", []]', '[{"name":"x"}]']) expect(savedFrom(bad, views), String(bad)).toEqual([]);
  const one = (more: object, name: unknown = 'x') => JSON.stringify([{ name, lens: { ...lens, ...more } }]);
  for (const bad of [{ view: 'mine' }, { view: 3 }, { severity: 5 }, { severity: '4' }, { category: '<b>' }, { state: 'x'.repeat(97) }, { search: 'x'.repeat(201) }]) expect(savedFrom(one(bad), views), JSON.stringify(bad)).toEqual([]);
  expect(savedFrom(one({}, ' '), views)).toEqual([]);
  expect(savedFrom(one({}, 'n'.repeat(MAX_NAME + 1)), views)).toEqual([]);
  expect(savedFrom(one({}, '__proto__'), views)).toHaveLength(1);
});

it('keeps nine, each name once', () => {
  let list = kept([], 'a', lens);
  for (let n = 0; n < 20; n += 1) list = kept(list, `v${n}`, lens);
  expect(list).toHaveLength(MAX_SAVED);
  expect(kept(list, 'a', { ...lens, severity: 1 })[0]?.lens.severity).toBe(1);
  expect(savedFrom(JSON.stringify([...list, ...list, ...list]), views)).toHaveLength(MAX_SAVED);
  expect(renamed(list, 'a', 'b')[0]?.name).toBe('b');
  expect(renamed(list, 'a', 'v1')).toBe(list);
  expect(renamed(list, 'a', ' ')).toBe(list);
});
