import { expect, it } from 'vitest';
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import { PMTiles } from 'pmtiles';
import { groundFile } from '../desk/mock-ground';
import { toUnit } from './camera';
import { unpacked } from './tiles';

it('reads tiles out of an archive piece by piece', async () => {
  const lyon = { lat: 45.7485, lon: 4.8467 };
  const bytes = groundFile([lyon]);
  const file = new PMTiles({ getKey: () => 'x', getBytes: async (offset, length) => ({ data: bytes.slice(offset, offset + length) }) }, undefined, unpacked);
  const header = await file.getHeader();
  expect([header.tileType, header.minZoom, header.maxZoom]).toEqual([1, 7, 10]);
  const { x, y } = toUnit(lyon);
  const found = await file.getZxy(9, Math.floor(x * 512), Math.floor(y * 512));
  const tile = new VectorTile(new PbfReader(found?.data ?? new ArrayBuffer(0)));
  expect(Object.keys(tile.layers).sort()).toEqual(['buildings', 'roads', 'water']);
  expect(tile.layers['water']?.feature(0).loadGeometry()[0]?.[1]).toMatchObject({ x: 1200, y: 1300 });
  expect(await file.getZxy(9, 0, 0)).toBeUndefined();
});

// The real window's test opens this one, in hexadecimal (`tests/tests/window.rs`); `vitest -u` makes it anew.
it('is the file that the real window is given', async () => {
  const bytes = [...new Uint8Array(groundFile([{ lat: 50.6293, lon: 3.0571 }]))];
  const hex = bytes.map((byte, at) => byte.toString(16).padStart(2, '0') + (at % 48 === 47 ? '\n' : '')).join('');
  await expect(hex + '\n').toMatchFileSnapshot('../../../tests/tests/town.pmtiles.hex');
});
