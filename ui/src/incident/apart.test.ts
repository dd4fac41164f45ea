import { expect, it } from 'vitest';
import type { EntryRow } from '../desk/types';
import { parted } from './apart';

const entry = (id: string, status: string, why: string | null = null, device = 'Field 12', agency = 'emb') => ({ id, status, why, device, agency }) as EntryRow;

it('sets apart what was written after a revocation, by device, and keeps the order', () => {
  const all = [
    entry('a', 'valid'), entry('b', 'quarantined', 'revoked'), entry('c', 'witnessed', null, 'JOC 1'),
    entry('d', 'quarantined', 'forked'), entry('e', 'quarantined', 'not-the-cuts-head'), entry('f', 'quarantined', 'revoked', 'Field 12', 'police'),
  ];
  const { standing, apart } = parted(all);
  expect(standing.map(({ id }) => id)).toEqual(['a', 'c']);
  expect(apart.map(({ device, revoked, entries }) => [device, revoked, entries.map(({ id }) => id)])).toEqual([
    ['Field 12', true, ['b', 'e']], ['Field 12', false, ['d']], ['Field 12', true, ['f']],
  ]);
});

it('loses none, whatever a newer peer calls a status or a reason', () => {
  const all = [entry('a', 'constructor'), entry('b', 'quarantined', '__proto__'), entry('c', 'rejected', 'revoked'), entry('d', 'waiting')];
  const { standing, apart } = parted(all);
  expect([...standing, ...apart.flatMap(({ entries }) => entries)].map(({ id }) => id).sort()).toEqual(['a', 'b', 'c', 'd']);
  expect(apart.map(({ revoked }) => revoked)).toEqual([false]);
});
