import { expect, it } from 'vitest';
import { asksWords, may, needsWords, waits } from './steps';

const referral = (state: string) => ({ from: 'emb', to: 'police', state });

it('lets the asked institution answer, and only it', () => {
  for (const state of ['offered', 'received', 'seen']) {
    expect(waits(state)).toBe(true);
    expect(may(referral(state), 'police')).toEqual(['accepted', 'declined']);
    expect(may(referral(state), 'emb')).toEqual(['recalled']);
    expect(may(referral(state), 'court')).toEqual([]);
  }
});

it('lets only the asker close', () => {
  expect(may(referral('done'), 'emb')).toContain('closed');
  expect(may(referral('done'), 'police')).toEqual([]);
  for (const end of ['closed', 'recalled']) expect([...may(referral(end), 'emb'), ...may(referral(end), 'police')]).toEqual([]);
});

it('asks for a reason where one is owed', () => expect(['accepted', 'declined', 'done', 'disputed'].filter(needsWords)).toEqual(['declined', 'disputed']));
it('asks for a sentence before what cannot be taken back', () => expect(['accepted', 'declined', 'done', 'recalled', 'closed'].filter(asksWords)).toEqual(['declined', 'done', 'recalled']));
