import { expect, test } from 'vitest';
import { over } from './over';

const empty = { station: '', code: '', place: '', lat: '', lon: '', kind: '', category: '', domains: '', summary: '', people: '' };
const draft = { ...empty, station: '0421 · rue Chevreul', code: '0421', place: 'rue Chevreul', kind: 'Tampering', category: 'ops:box-tampering', summary: 'Box burnt' };

test('what was typed before the draft came stays, the rest comes from the draft', () => {
  expect(over(draft, { ...empty, people: 'None hurt' }, empty)).toEqual({ ...draft, people: 'None hurt' });
  expect(over(draft, empty, empty)).toEqual(draft);
});

test('a station that is being typed takes no place or code from the draft', () => {
  expect(over(draft, { ...empty, station: '07' }, empty)).toEqual({ ...draft, station: '07', code: '', place: '' });
});

test('a kind that is being typed takes no code from the draft', () => {
  expect(over(draft, { ...empty, kind: 'viol' }, empty)).toEqual({ ...draft, kind: 'viol', category: '' });
});

test('what was typed while a report was signed is the next one’s', () => {
  const anew = { ...empty, station: draft.station, code: draft.code, place: draft.place };
  expect(over(anew, { ...draft, summary: 'Second box' }, draft)).toEqual({ ...anew, summary: 'Second box' });
  expect(over(anew, { ...draft, station: '0733', code: '', place: '' }, draft)).toEqual({ ...anew, station: '0733', code: '', place: '' });
  expect(over(anew, draft, draft)).toEqual(anew);
});
