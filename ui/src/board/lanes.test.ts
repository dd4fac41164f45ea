import { expect, it, vi } from 'vitest';
import type { BoardRow } from '../desk/types';
import { known } from '../i18n/codes';
import { laneOf, LANES, spotOf, stepped } from './lanes';

// The chosen language is kept by the window; here there is none.
vi.hoisted(() => { vi.stubGlobal('localStorage', { getItem: () => 'en' }); });

const row = (id: string, recorded_at = '2026-10-04T20:00:00Z') => ({ id, recorded_at }) as BoardRow;
const lane = (...ids: string[]) => laneOf([{ state: 'new', total: ids.length, items: ids.map((id) => row(id)) }]);

it('holds each open state once, and no closed one', () => {
  const closed = ['closed', 'unfounded', 'duplicate', 'out-of-scope'];
  expect(LANES.flat().sort()).toEqual(known('state').filter((state) => !closed.includes(state)).sort());
});

it('puts states together by the moment, whatever the offset', () => {
  const found = laneOf([{ state: 'new', total: 2, items: [row('b', '2026-10-04T21:00:00+02:00')] }, { state: 'reopened', total: 1, items: [row('a', '2026-10-04T19:30:00Z')] }]);
  expect(found.rows.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(found.totals).toEqual([{ state: 'new', total: 2 }, { state: 'reopened', total: 1 }]);
});

it('walks within a lane and across the empty ones', () => {
  const lanes = [lane('a', 'b', 'c'), lane(), lane('d'), lane()];
  expect(spotOf(lanes, 'c')).toEqual({ lane: 0, at: 2 });
  expect(spotOf(lanes, 'x')).toBeNull();
  expect(stepped(lanes, { lane: 0, at: 2 }, 0, 1)).toEqual({ lane: 0, at: 2 });
  expect(stepped(lanes, { lane: 0, at: 2 }, 1, 0)).toEqual({ lane: 2, at: 0 });
  expect(stepped(lanes, { lane: 2, at: 0 }, -1, 0)).toEqual({ lane: 0, at: 0 });
  expect(stepped(lanes, { lane: 2, at: 0 }, 1, 0)).toBeNull();
  expect(stepped(lanes, { lane: 0, at: 0 }, -1, 0)).toBeNull();
  expect(stepped(lanes, { lane: 0, at: 1 }, 0, Infinity)).toEqual({ lane: 0, at: 2 });
});
