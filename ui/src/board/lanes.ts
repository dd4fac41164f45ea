// The lanes of the board: the open states, from new to settled. What is closed is in the list.
import type { BoardRow } from '../desk/types';

export const LANES: string[][] = [['new', 'reopened'], ['triaged', 'verifying'], ['assigned', 'in-progress'], ['contained', 'resolved']];
/** The newest of each state that a lane holds; the totals stand above it, and all are in the list. */
export const NEWEST = 100;

export interface Lane { rows: BoardRow[]; totals: { state: string; total: number }[] }

/** Pages of several states as one lane, newest first. */
export function laneOf(pages: { state: string; total: number; items: BoardRow[] }[]): Lane {
  // Times carry offsets of different devices: they are compared as moments, not as text.
  const rows = pages.flatMap(({ items }) => items).sort((a, b) => Date.parse(b.recorded_at) - Date.parse(a.recorded_at));
  return { rows, totals: pages.map(({ state, total }) => ({ state, total })) };
}

export interface Spot { lane: number; at: number }

/** Where a row stands; null when no lane holds it. */
export function spotOf(lanes: Lane[], id: string): Spot | null {
  for (const [lane, { rows }] of lanes.entries()) {
    const at = rows.findIndex((row) => row.id === id);
    if (at >= 0) return { lane, at };
  }
  return null;
}

/** The place that keys lead to: across, to the next lane that holds anything, at the same height; down, within the lane. */
export function stepped(lanes: Lane[], from: Spot, across: number, down: number): Spot | null {
  const many = (lane: number) => lanes[lane]?.rows.length ?? 0;
  let lane = from.lane;
  if (across !== 0) {
    do lane += across; while (lane >= 0 && lane < lanes.length && many(lane) === 0);
    if (lane < 0 || lane >= lanes.length) return null;
  }
  if (many(lane) === 0) return null;
  return { lane, at: Math.max(0, Math.min(from.at + down, many(lane) - 1)) };
}
