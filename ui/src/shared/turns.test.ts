import { beforeEach, expect, test } from 'vitest';
import { begin, drop, forget, hold, waits } from './turns';

/** A clock that a test moves: a tenth of a second from key to key. */
let now = 0;
const pressed = (key: string, repeat: boolean, field: boolean) => waits({ key, ctrlKey: false, repeat }, field, now += 100);

const given: string[] = [];
/** Work that ends when it is told to. */
function work() {
  let end: () => void = () => undefined;
  return { done: new Promise<void>((resolve) => { end = resolve; }), end: () => end() };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
beforeEach(() => {
  given.length = 0;
  now += 10_000;
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
});

test('of more keys than can wait none is given, however the rest of them comes', async () => {
  const first = work();
  void hold(first.done);
  for (let n = 0; n < 300; n += 1) expect(pressed('n', false, false)).toBe(true);
  first.end();
  await settled();
  // Still the same text: nothing of it is a command.
  expect(pressed('o', false, false)).toBe(true);
  expect(pressed('t', false, false)).toBe(true);
  expect(given).toEqual([]);
  // What comes after a pause is something new.
  now += 1000;
  expect(pressed('j', false, false)).toBe(false);
});

test('what is typed on top of a refusal goes nowhere; where nothing was typed, the next key counts', async () => {
  const first = work();
  void hold(first.done);
  ['n', 'N', 'o'].forEach((key) => pressed(key, false, false));
  drop();
  expect(pressed('t', false, false)).toBe(true);
  first.end();
  await settled();
  expect(pressed('a', false, false)).toBe(true);
  expect(given).toEqual([]);
  // In a field it is seen, and by pointing one means something else.
  expect(pressed('x', false, true)).toBe(false);
  const second = work();
  void hold(second.done);
  drop();
  second.end();
  await settled();
  expect(pressed('z', false, false)).toBe(false);
});

test('two that end at once give each key its turn', async () => {
  const [first, second] = [work(), work()];
  const opened: string[] = [];
  let shown = 0;
  begin(async () => { shown += 1; await settled(); }, ({ key }) => { opened.push(`${key}${shown}`); });
  void hold(first.done);
  void hold(second.done);
  ['n', 'j'].forEach((key) => pressed(key, false, false));
  first.end();
  second.end();
  await settled();
  await settled();
  await settled();
  // What the first opened was on the screen before the second was given.
  expect(opened).toEqual(['n1', 'j2']);
});
