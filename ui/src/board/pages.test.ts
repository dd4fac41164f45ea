import { expect, it } from 'vitest';
import type { BoardPage, BoardRow, Counts } from '../desk/types';
import { anew, joined, missing, PAGE } from './pages';

const counts: Counts = { new: 0, open: 0, critical: 0, unanswered: 0, overdue: 0, mine: 0, silent: 0, silent_since: null };
const row = (id: string) => ({ id }) as BoardRow;
function shelf(count: number) {
  const list = Array.from({ length: count }, (_, n) => row(`r${n}`));
  let asked = 0;
  const read = async (limit: number, offset: number): Promise<BoardPage> => {
    asked += 1;
    return { total: list.length, items: list.slice(offset, offset + limit), counts };
  };
  return { list, read, asked: () => asked, arrive: (many: number) => { for (let n = 0; n < many; n += 1) list.unshift(row(`new${list.length}`)); } };
}

it('finds the selected row again below 50 that arrived', async () => {
  for (const at of [0, 3, 42, 120, 190, 199, 200, 420]) {
    const held = shelf(500);
    held.arrive(50);
    const found = await anew(held.read, { from: Math.max(0, at - 10), to: at + 10, id: `r${at}`, at, total: 500 });
    expect([found.at, found.moved, found.total], `row ${at}`).toEqual([at + 50, 50, 550]);
    expect(found.rows[found.at]?.id).toBe(`r${at}`);
    // What stands around it on the screen is there in the same turn: nothing is blank for a moment.
    for (let index = at + 40; index < at + 60; index += 1) expect(found.rows[index], `${index}`).toBeDefined();
    expect(held.asked()).toBeLessThanOrEqual(4);
  }
});

it('finds it when more than a page arrived', async () => {
  const held = shelf(300);
  held.arrive(PAGE + 70);
  expect((await anew(held.read, { from: 0, to: 20, id: 'r5', at: 5, total: 300 })).at).toBe(5 + PAGE + 70);
});

it('says when the list no longer holds it', async () => {
  const held = shelf(500);
  held.list.splice(20, 1);
  const found = await anew(held.read, { from: 10, to: 30, id: 'r20', at: 20, total: 500 });
  expect([found.at, found.moved, found.total]).toEqual([-1, 0, 499]);
  expect(held.asked()).toBeLessThanOrEqual(5);
});

it('reads an empty list once', async () => {
  const held = shelf(0);
  expect(await anew(held.read, { from: 0, to: 40, id: 'r0', at: 0, total: 9 })).toMatchObject({ rows: {}, total: 0, at: -1 });
  expect(held.asked()).toBe(1);
});

it('reads what is in view first, then ahead, then behind, and nothing twice', () => {
  const view = { from: 4_010, to: 4_030 };
  const asking = new Set<number>();
  let rows: Record<number, BoardRow> = {};
  const take = () => {
    const offset = missing(rows, view, 10_000, asking);
    if (offset >= 0) rows = joined(rows, Array.from({ length: PAGE }, (_, at) => row(`r${offset + at}`)), offset, view);
    return offset;
  };
  expect([take(), take(), take()]).toEqual([4_000, 3_800, -1]);
  expect(rows[4_029]?.id).toBe('r4029');
  asking.add(0);
  expect(missing({}, { from: 0, to: 20 }, 10_000, asking)).toBe(-1);
  expect(missing({}, { from: 0, to: 20 }, 0, new Set())).toBe(-1);
});

it('holds a bounded number of rows, those around what is in view', () => {
  let rows: Record<number, BoardRow> = {};
  for (let offset = 0; offset < 100_000; offset += PAGE) {
    rows = joined(rows, Array.from({ length: PAGE }, (_, at) => row(`r${offset + at}`)), offset, { from: offset, to: offset + 20 });
    expect(Object.keys(rows).length).toBeLessThanOrEqual(4000);
    expect(rows[offset]?.id).toBe(`r${offset}`);
  }
  expect(rows[0]).toBeUndefined();
});
