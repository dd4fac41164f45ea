import { expect, it } from 'vitest';
import type { EntryRow } from '../desk/types';
import { alertedIn, ladderFrom, MAX_RUNGS, next, rungsFor, sign } from './ladder';

const offered_at = '2026-10-04T20:42:00+02:00';
const at = (minutes: number) => Date.parse(offered_at) + minutes * 60_000;
const referral = { id: 'c0ffee'.repeat(10), from: 'emb', to: 'police', state: 'seen', offered_at };
const ladder = ladderFrom('{"*":[{"after":5,"whom":"Shift lead"}],"police":[{"after":15,"whom":"Chief of police"},{"after":5,"whom":"Commander"}]}');
const note = (text: string, more: Partial<EntryRow> = {}) => ({ action: 'note', agency: 'emb', status: 'valid', text, ...more }) as EntryRow;

it('reads a ladder in the order of its minutes, its own or the one for all', () => {
  expect(rungsFor(ladder, 'police').map(({ whom }) => whom)).toEqual(['Commander', 'Chief of police']);
  expect(rungsFor(ladder, 'cert')).toEqual([{ after: 5, whom: 'Shift lead' }]);
  expect(rungsFor(ladder, 'constructor')).toEqual([{ after: 5, whom: 'Shift lead' }]);
  expect(rungsFor({}, 'cert')).toEqual([]);
});

it('takes nothing that is no ladder', () => {
  for (const bad of [null, '', 'x', '[]', '3', '{"*":3}', '{"*":[{"after":0,"whom":"x"}]}', '{"*":[{"after":5}]}', '{"*":[{"after":5.5,"whom":"x"}]}', '{"*":[{"after":99999,"whom":"x"}]}', '{"<b>":[{"after":5,"whom":"x"}]}']) expect(ladderFrom(bad), String(bad)).toEqual({});
  const long = ladderFrom(JSON.stringify({ '*': Array.from({ length: 50 }, (_, n) => ({ after: n + 1, whom: 'x' })) }));
  expect(rungsFor(long, 'a')).toHaveLength(MAX_RUNGS);
  expect(ladderFrom('{"*":[{"after":5,"whom":"a"},{"after":5,"whom":"b"}]}')['*']).toEqual([{ after: 5, whom: 'a' }]);
});

it('says whom to alert next, before and after the time', () => {
  expect(next(ladder, referral, [], at(3))).toEqual({ rung: 0, whom: 'Commander', after: 5, of: 2, left: 120_000 });
  expect(next(ladder, referral, [], at(7))?.left).toBe(-120_000);
  expect(next(ladder, referral, [0], at(7))).toMatchObject({ rung: 1, whom: 'Chief of police', left: 480_000 });
  expect(next(ladder, referral, [1], at(20))).toBeNull();
  for (const state of ['accepted', 'declined', 'recalled', 'closed']) expect(next(ladder, { ...referral, state }, [], at(99)), state).toBeNull();
  expect(next({}, referral, [], at(99))).toBeNull();
});

it('knows from the notes what was alerted, and only from ours', () => {
  const told = `Alerté : Commander. ${sign(referral.id, 0)}`;
  expect(alertedIn([note(told)], referral)).toEqual([0]);
  expect(alertedIn([note(told), note(`x ${sign(referral.id, 1)}`)], referral)).toEqual([0, 1]);
  for (const other of [note(told, { agency: 'police' }), note(told, { status: 'quarantined' }), note(told, { action: 'create' }), note(`${told} and more`), note(`x ${sign('f00d'.repeat(10), 0)}`)]) expect(alertedIn([other], referral)).toEqual([]);
});
