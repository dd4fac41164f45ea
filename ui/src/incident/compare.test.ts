import { expect, it } from 'vitest';
import { against, compared, differs, type Side } from './compare';

const side: Side = { id: 'a', reference: 'EMB-1', severity: 3, summary: 'Box destroyed', category: 'ops:box-tampering', where: 'Lyon', recorded_at: '2026-10-04T20:41:00+02:00', state: 'new', owner: 'emb', exhibits: 2 };

it('tells what differs; a few minutes do not', () => {
  expect(compared.filter((what) => differs(side, { ...side, recorded_at: '2026-10-04T18:44:00Z' }, what))).toEqual([]);
  expect(compared.filter((what) => differs(side, { ...side, severity: 4, recorded_at: '2026-10-04T20:55:00+02:00', exhibits: 0 }, what))).toEqual(['severity', 'recorded_at', 'exhibits']);
});

it('points at the words that the other line does not have, whatever their accents and stops', () => {
  const found = against('Urne détruite, à l’acide', 'urne DETRUITE. Vote halted');
  expect(found.map(({ word }) => word).join('')).toBe('Urne détruite, à l’acide');
  expect(found.filter(({ odd }) => odd).map(({ word }) => word.trim())).toEqual(['à', 'l’acide']);
  expect(against('', 'x')).toEqual([{ word: '', odd: false }]);
  expect(against('a '.repeat(4000), 'b')).toHaveLength(1);
});
