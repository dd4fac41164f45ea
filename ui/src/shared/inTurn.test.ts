import { expect, it } from 'vitest';
import { inTurn } from './inTurn';

/** Readings that are answered one by one. */
function desk() {
  const answers: { give: (found: string | undefined) => void; fail: () => void }[] = [];
  const shown: string[] = [];
  const load = inTurn(() => new Promise<string | undefined>((give, refuse) => { answers.push({ give, fail: () => refuse(new Error('no')) }); }), (found) => { shown.push(found); });
  return { answers, shown, load };
}
const settle = () => new Promise((resolve) => setTimeout(resolve));

it('asks again after a change, and shows each answer in the order of the questions', async () => {
  const { answers, shown, load } = desk();
  const first = load();
  const later = [load(), load(), load()];
  expect(answers.length).toBe(1);
  answers[0]?.give('before the change');
  await first;
  await settle();
  // The three asked while one was under way: one reading for them all.
  expect([answers.length, shown]).toEqual([2, ['before the change']]);
  answers[1]?.give('after it');
  await Promise.all(later);
  expect(shown).toEqual(['before the change', 'after it']);
  void load();
  expect(answers.length).toBe(3);
});

it('shows something however often it is asked', async () => {
  const { answers, shown, load } = desk();
  for (let at = 0; at < 5; at += 1) {
    void load();
    void load();
    answers[at]?.give(String(at));
    await settle();
  }
  expect(shown).toEqual(['0', '1', '2', '3', '4']);
});

it('goes on after a reading that failed or found nothing', async () => {
  const { answers, shown, load } = desk();
  const failed = load();
  const nothing = load();
  answers[0]?.fail();
  await expect(failed).rejects.toThrow('no');
  await settle();
  answers[1]?.give(undefined);
  await nothing;
  const found = load();
  answers[2]?.give('found');
  await found;
  expect(shown).toEqual(['found']);
});
