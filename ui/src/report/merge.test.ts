import { expect, it } from 'vitest';
import { carried, change, moved } from './merge';

it('makes any text of any other by one change', () => {
  const texts = ['', 'a', 'aa', 'aba', 'one two', 'one 2 two', 'البريد', '𝄞𝄞', '𝄞é𝄞', '𝄢𝄞'];
  for (const before of texts) for (const after of texts) {
    const made = change(before, after);
    if (!made) { expect(before).toBe(after); continue; }
    expect(before.slice(0, made.at) + made.put + before.slice(made.at + made.gone)).toBe(after);
    expect(made.put).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])/);
  }
});

it('carries what is typed here onto what others wrote meanwhile', () => {
  expect(carried('Quiet.', 'Quiet. Box burnt.', 'At 20:41: Quiet.')).toBe('At 20:41: Quiet. Box burnt.');
  expect(carried('Quiet.', 'All Quiet.', 'Quiet. Police moved.')).toBe('All Quiet. Police moved.');
  expect(carried('one two three', 'one three', 'one two three four')).toBe('one three four');
  expect(carried('same', 'same', 'other')).toBe('other');
});

it('keeps the caret where it was in the words', () => {
  expect(moved(6, 'Quiet.', 'At 20:41: Quiet.')).toBe(16);
  expect(moved(2, 'Quiet.', 'Quiet. More.')).toBe(2);
  expect(moved(9, 'one two three', 'one three')).toBe(5);
});
