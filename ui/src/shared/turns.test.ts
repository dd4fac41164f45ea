import { beforeEach, expect, test } from 'vitest';
import { begin, forget, hold, waits } from './turns';

const pressed = (key: string, repeat: boolean, field: boolean) => waits({ key, ctrlKey: false, repeat }, field);

const given: string[] = [];
/** Work that ends when it is told to. */
function work() {
  let end: () => void = () => undefined;
  return { done: new Promise<void>((resolve) => { end = resolve; }), end: () => end() };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
beforeEach(() => {
  given.length = 0;
  begin(() => Promise.resolve(), ({ key }) => { if (!pressed(key, false, false)) given.push(key); });
});

test('a key goes through where nothing is under way', () => {
  expect(pressed('j', false, false)).toBe(false);
});

test('keys wait for what the one before began, and keep their order', async () => {
  const first = work();
  void hold(first.done);
  expect(['o', 'j', 'z'].map((key) => pressed(key, false, false))).toEqual([true, true, true]);
  await settled();
  expect(given).toEqual([]);
  first.end();
  await settled();
  expect(given).toEqual(['o', 'j', 'z']);
});

test('a key that waited may itself begin something, and the rest wait for that', async () => {
  const [first, second] = [work(), work()];
  begin(() => Promise.resolve(), ({ key }) => { given.push(key); if (key === 'o') void hold(second.done); });
  void hold(first.done);
  pressed('o', false, false);
  pressed('j', false, false);
  first.end();
  await settled();
  expect(given).toEqual(['o']);
  // One pressed now comes after those that wait already.
  expect(pressed('k', false, false)).toBe(true);
  second.end();
  await settled();
  expect(given).toEqual(['o', 'j', 'k']);
});

test('what fails ends the wait like what succeeds', async () => {
  const failed = hold(Promise.reject(new Error('no')));
  pressed('j', false, false);
  await expect(failed).rejects.toThrow('no');
  await settled();
  expect(given).toEqual(['j']);
});

test('a key held down does not go on after the finger, and keys can be forgotten', async () => {
  const first = work();
  void hold(first.done);
  expect(pressed('j', true, false)).toBe(true);
  pressed('o', false, false);
  forget();
  first.end();
  await settled();
  expect(given).toEqual([]);
});

test('in a field a key waits only behind others, and no more wait than were meant', async () => {
  const first = work();
  void hold(first.done);
  expect(pressed('x', false, true)).toBe(false);
  pressed('n', false, false);
  expect(pressed('x', false, true)).toBe(true);
  first.end();
  await settled();
  expect(given).toEqual(['n', 'x']);
  const second = work();
  void hold(second.done);
  for (let n = 0; n < 257; n += 1) pressed('n', false, false);
  second.end();
  await settled();
  expect(given).toEqual(['n', 'x']);
});
