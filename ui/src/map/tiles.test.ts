import { expect, it, vi } from 'vitest';
import { covering, EXTENT, kindOf, MAX_TILES, MAX_UNPACKED, shapesOf, unpacked } from './tiles';

const drawn: [string, number, number][] = [];
vi.stubGlobal('Path2D', class {
  moveTo(x: number, y: number) { drawn.push(['move', x, y]); }
  lineTo(x: number, y: number) { drawn.push(['line', x, y]); }
  closePath() { drawn.push(['close', 0, 0]); }
});

it('covers the window, and no more than that', () => {
  const size = { width: 1000, height: 700 };
  const tiles = covering({ x: 0.514, y: 0.35, zoom: 12.2 }, size, 0, 14);
  expect(tiles.length).toBeGreaterThan(3);
  expect(tiles.length).toBeLessThan(20);
  expect(tiles.every(({ z }) => z === 12)).toBe(true);
  expect(covering({ x: 0.5, y: 0.5, zoom: 12 }, size, 0, 6).every(({ z }) => z === 6)).toBe(true);
  for (const { x, y } of covering({ x: 0, y: 0, zoom: 5 }, size, 0, 14)) expect(x >= 0 && y >= 0).toBe(true);
  expect(covering({ x: 0.5, y: 0.5, zoom: 3 }, size, 9, 14)).toEqual([]);
  expect(covering({ x: 0.5, y: 0.5, zoom: 3 }, { width: 0, height: 0 }, 0, 14)).toEqual([]);
  expect(covering({ x: 0.5, y: 0.5, zoom: 6 }, { width: 3840, height: 2160 }, 0, 14).length).toBeLessThanOrEqual(MAX_TILES);
});

it('knows the layers that are ground, whatever else a file calls its own', () => {
  expect([kindOf('water'), kindOf('transportation'), kindOf('pois'), kindOf('constructor'), kindOf('__proto__')]).toEqual(['water', 'roads', undefined, undefined, undefined]);
});

it('draws lines and areas in units of the tile, and no points', () => {
  const feature = (type: number) => ({ type, loadGeometry: () => [[{ x: 0, y: 0 }, { x: 512, y: 256 }]] });
  const layer = (...types: number[]) => ({ extent: 512, length: types.length, feature: (at: number) => feature(types[at] ?? 0) });
  drawn.length = 0;
  shapesOf({ layers: { roads: layer(2), water: layer(3), places: layer(1, 2, 3), buildings: layer(1), broken: { ...layer(2), extent: 0 } } });
  expect(drawn).toEqual([['move', 0, 0], ['line', EXTENT, EXTENT / 2], ['move', 0, 0], ['line', EXTENT, EXTENT / 2], ['close', 0, 0]]);
});

it('stops at a bound', () => {
  const long = Array.from({ length: 5000 }, () => ({ x: 1, y: 1 }));
  drawn.length = 0;
  shapesOf({ layers: { roads: { extent: 4096, length: 1_000_000, feature: () => ({ type: 2, loadGeometry: () => [long] }) } } });
  expect(drawn.length).toBeLessThanOrEqual(205_000);
});

it('unpacks what is packed, and not for ever', async () => {
  const pack = (bytes: Uint8Array<ArrayBuffer>) => new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer();
  const text = new TextEncoder().encode('streets and water');
  expect(new Uint8Array(await unpacked(await pack(text), 2))).toEqual(text);
  expect(await unpacked(text.buffer, 1)).toBe(text.buffer);
  await expect(unpacked(text.buffer, 2)).rejects.toThrow();
  await expect(unpacked(text.buffer, 3)).rejects.toThrow();
  await expect(unpacked(await pack(new Uint8Array(MAX_UNPACKED + 1)), 2)).rejects.toThrow();
});
