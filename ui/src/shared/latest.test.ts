import { expect, it } from 'vitest';
import { latest } from './latest';

/** Readings that are answered one by one, in any order. */
function desk() {
  const answers: ((found: string | undefined) => void)[] = [];
  const shown: [found: string, own: boolean][] = [];
  const load = latest(() => new Promise<string | undefined>((resolve) => { answers.push(resolve); }), (found, own) => { shown.push([found, own]); });
  return { answers, shown, load };
}

it('shows the last reading, whichever is answered first, and what is owed with it', async () => {
  const { answers, shown, load } = desk();
  const both = [load(true), load(false)];
  answers[1]?.('new');
  answers[0]?.('old');
  await Promise.all(both);
  expect(shown).toEqual([['new', true]]);
});

it('lets whoever waits for an overtaken reading wait for the last', async () => {
  const { answers, shown, load } = desk();
  let done = false;
  const first = load(false).then(() => { done = true; });
  const second = load(false);
  answers[0]?.('old');
  await Promise.resolve();
  expect(done).toBe(false);
  answers[1]?.('new');
  await Promise.all([first, second]);
  expect(shown).toEqual([['new', false]]);
});

it('owes nothing to a reading that failed', async () => {
  const { answers, shown, load } = desk();
  const failed = load(true);
  answers[0]?.(undefined);
  await failed;
  const again = load(false);
  answers[1]?.('new');
  await again;
  expect(shown).toEqual([['new', false]]);
});
