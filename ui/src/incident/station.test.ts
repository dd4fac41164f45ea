import { expect, it } from 'vitest';
import type { StationRow } from '../desk/types';
import { choose, forget, together, where } from './station';

const station: StationRow = { code: '0421', name: '12 rue Chevreul', area: 'Lyon 7e', lat: 45.7496, lon: 4.8455, expected_by: '' };

it('a chosen station gives its code, place and coordinates', () => {
  const form: Record<string, string> = { station: '04' };
  choose(form, station);
  expect(form['station']).toBe('0421 · Lyon 7e, 12 rue Chevreul');
  expect(where(form)).toEqual({ station: '0421', place: 'Lyon 7e, 12 rue Chevreul', lat: 45.7496, lon: 4.8455 });
  choose(form, { ...station, code: 'B-7', area: '', lat: null, lon: null });
  expect(where(form)).toEqual({ station: 'B-7', place: '12 rue Chevreul' });
});
it('what is typed afterwards is a place of its own', () => {
  const form: Record<string, string> = {};
  choose(form, station);
  form['station'] = 'market square, Lyon';
  forget(form);
  expect(where(form)).toEqual({ place: 'market square, Lyon' });
});
it('a code that no list knows may be typed in front', () => {
  expect(where({ station: '0421 · 12 rue Chevreul' })).toEqual({ station: '0421', place: '12 rue Chevreul' });
  expect(where({ station: '0421 rue Chevreul' })).toEqual({ station: '0421', place: '0421 rue Chevreul' });
  expect(where({ station: '0421' })).toEqual({ station: '0421' });
  expect(where({ station: '' })).toEqual({});
});
it('a draft of the command line stands in one field, and loses nothing', () => {
  const form: Record<string, string> = { station: '0421', place: 'Lyon', lat: '45.7', lon: '4.8' };
  together(form);
  expect(form['station']).toBe('0421 · Lyon');
  expect(where(form)).toEqual({ station: '0421', place: 'Lyon', lat: 45.7, lon: 4.8 });
  const again = { ...form };
  together(form);
  expect(form).toEqual(again);
});
