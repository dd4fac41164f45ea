import { beforeEach, expect, test } from 'vitest';
import { begin, forget, hold, waits } from './turns';

const given: string[] = [];
/** Work that ends when it is told to. */
function work() {
  let end: () => void = () => undefined;
  return { done: new Promise<void>((resolve) => { end = resolve; }), end: () => end() };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
beforeEach(() => {
  given.length = 0;
  begin((key) => { if (!waits(key, false)) given.push(key); }, () => Promise.resolve());
});

test('a key goes through where nothing is under way', () => {
  expect(waits('j', false)).toBe(false);
});

test('keys wait for what the one before began, and keep their order', async () => {
  const first = work();
  void hold(first.done);
  expect(['o', 'j', 'z'].map((key) => waits(key, false))).toEqual([true, true, true]);
  await settled();
  expect(given).toEqual([]);
  first.end();
  await settled();
  expect(given).toEqual(['o', 'j', 'z']);
});

test('a key that waited may itself begin something, and the rest wait for that', async () => {
  const [first, second] = [work(), work()];
  begin((key) => { given.push(key); if (key === 'o') void hold(second.done); }, () => Promise.resolve());
  void hold(first.done);
  waits('o', false);
  waits('j', false);
  first.end();
  await settled();
  expect(given).toEqual(['o']);
  // One pressed now comes after those that wait already.
  expect(waits('k', false)).toBe(true);
  second.end();
  await settled();
  expect(given).toEqual(['o', 'j', 'k']);
});

test('what fails ends the wait like what succeeds', async () => {
  const failed = hold(Promise.reject(new Error('no')));
  waits('j', false);
  await expect(failed).rejects.toThrow('no');
  await settled();
  expect(given).toEqual(['j']);
});

test('a key held down does not go on after the finger, and keys can be forgotten', async () => {
  const first = work();
  void hold(first.done);
  expect(waits('j', true)).toBe(true);
  waits('o', false);
  forget();
  first.end();
  await settled();
  expect(given).toEqual([]);
});
