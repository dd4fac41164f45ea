import { expect, it } from 'vitest';
import type { MapPoint } from '../desk/types';
import { fitted, type Camera } from './camera';
import { Clusters } from './clusters';

const size = { width: 900, height: 700 };
const point = (id: string, lat: number, lon: number, severity: number): MapPoint =>
  ({ id, reference: id, summary: id, severity, state: 'new', lat, lon, disputed: false, recorded_at: '2026-10-04T20:41:00+02:00' });
const near = (camera: Camera, zoom: number) => ({ ...camera, zoom });

it('counts every incident once, and shows the worst of each mark', () => {
  const points = Array.from({ length: 300 }, (_, at) => point(`p${at}`, 44 + (at % 17) * 0.3, -1 + (at % 13) * 0.5, at === 7 ? 4 : at % 4));
  const clusters = new Clusters(points);
  const camera = fitted(points, size);
  const marks = clusters.inView(camera, size);
  expect(marks.length).toBeLessThan(300);
  expect(marks.reduce((sum, mark) => sum + mark.count, 0)).toBe(300);
  expect(marks.flatMap((mark) => clusters.of(mark)).length).toBe(300);
  expect(marks.filter((mark) => mark.worst === 4).length).toBe(1);
  for (const mark of marks) {
    const held = clusters.of(mark);
    expect(mark.worst).toBe(Math.max(...held.map((one) => one.severity)));
    expect(mark.each).toEqual([0, 1, 2, 3, 4].map((level) => held.filter((one) => one.severity === level).length));
  }
});

it('walks from north to south, the same way each time', () => {
  const points = [point('c', 43, 5, 1), point('a', 50, 3, 1), point('b', 48, -4, 1), point('d', 43, 1, 1)];
  const camera = fitted(points, size);
  const order = (given: MapPoint[]) => new Clusters(given).inView(camera, size).map((mark) => mark.key);
  expect(order(points)).toEqual(['a', 'b', 'd', 'c']);
  expect(order([...points].reverse())).toEqual(['a', 'b', 'd', 'c']);
});

it('says where a cluster falls apart, and that one place never does', () => {
  const camera = fitted([point('x', 45.7, 4.8, 1)], size);
  const apart = new Clusters([point('a', 45.7, 4.8, 1), point('b', 45.71, 4.81, 2)]);
  const [one] = apart.inView(near(camera, 3), size);
  expect(one?.count).toBe(2);
  expect(one && apart.splitsAt(one)).toBeGreaterThan(3);
  const same = new Clusters([point('a', 45.7, 4.8, 1), point('b', 45.7, 4.8, 2)]);
  const [both] = same.inView(near(camera, 13), size);
  expect(both?.count).toBe(2);
  expect(both && same.splitsAt(both)).toBeNull();
  expect(both && same.of(both).map((held) => held.id)).toEqual(['a', 'b']);
});

it('holds twenty thousand', () => {
  const points = Array.from({ length: 20_000 }, (_, at) => point(`p${at}`, -60 + ((at * 7919) % 12_000) / 100, -170 + ((at * 104_729) % 34_000) / 100, at % 5));
  const marks = new Clusters(points).inView({ x: 0.5, y: 0.5, zoom: 1 }, { width: 1024, height: 1024 });
  expect(marks.length).toBeLessThan(600);
  expect(marks.reduce((sum, mark) => sum + mark.count, 0)).toBe(20_000);
});
