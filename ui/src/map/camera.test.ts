import { expect, it } from 'vitest';
import { bounds, fitted, held, MAX_ZOOM, panned, ruler, toPlace, toScreen, toUnit, worldSize, zoomed } from './camera';

const size = { width: 900, height: 700 };
const lyon = { lat: 45.7485, lon: 4.8467 };

it('gives a place back from where it put it', () => {
  for (const place of [lyon, { lat: -54.8, lon: -68.3 }, { lat: 0, lon: 0 }, { lat: 71, lon: 179.9 }]) {
    const { x, y } = toUnit(place);
    const back = toPlace(x, y);
    expect(back.lat).toBeCloseTo(place.lat, 7);
    expect(back.lon).toBeCloseTo(place.lon, 7);
  }
  expect(Number.isFinite(toUnit({ lat: 90, lon: 0 }).y)).toBe(true);
});

it('keeps what is under the pointer there while it zooms', () => {
  const camera = held({ ...toUnit(lyon), zoom: 5 }, size);
  const under: [number, number] = [620, 180];
  const place = (of: typeof camera) => [of.x + (under[0] - 450) / worldSize(of.zoom), of.y + (under[1] - 350) / worldSize(of.zoom)];
  const [x = 0, y = 0] = place(camera);
  const [nextX, nextY] = place(zoomed(camera, 1.5, size, under));
  expect(nextX).toBeCloseTo(x, 9);
  expect(nextY).toBeCloseTo(y, 9);
});

it('never leaves the world', () => {
  let camera = held({ x: 0.5, y: 0.5, zoom: -4 }, size);
  expect(worldSize(camera.zoom)).toBeCloseTo(900, 6);
  for (let step = 0; step < 50; step += 1) camera = panned(camera, 500, -500, size);
  const [west, , east, north] = bounds(camera, size);
  expect(east).toBeLessThanOrEqual(180);
  expect(west).toBeGreaterThanOrEqual(-180);
  expect(north).toBeLessThanOrEqual(85.06);
  expect(zoomed(camera, 99, size).zoom).toBe(MAX_ZOOM);
});

it('shows all places that it fits, and a region around one', () => {
  const places = [lyon, { lat: 50.6, lon: 3 }, { lat: 48.4, lon: -4.5 }];
  const camera = fitted(places, size);
  for (const place of places) {
    const [x, y] = toScreen(toUnit(place), camera, size);
    expect(x > 40 && x < 860 && y > 40 && y < 660).toBe(true);
  }
  expect(fitted([lyon], size).zoom).toBe(7);
  expect(fitted([], size).zoom).toBeLessThan(1);
});

it('measures with a round number that fits', () => {
  const { metres, pixels } = ruler({ x: 0.5, y: 0.5, zoom: 7 }, 96);
  expect(metres).toBe(50_000);
  expect(pixels).toBeCloseTo((50_000 / 40_075_017) * worldSize(7), 6);
  for (let zoom = 1; zoom <= MAX_ZOOM; zoom += 0.5) {
    const found = ruler({ ...toUnit(lyon), zoom }, 96);
    expect(found.pixels > 96 / 2.6 && found.pixels <= 96).toBe(true);
  }
});
