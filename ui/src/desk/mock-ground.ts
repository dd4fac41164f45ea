// A small map file for looking at the ground: streets, a river and houses around each invented town,
// as a PMTiles archive made on the spot (PMTiles specification, version 3; Mapbox vector tile 2.1).
import { PbfWriter } from 'pbf';
import { zxyToTileId } from 'pmtiles';
import { toUnit } from '../map/camera';

const EXTENT = 4096;
const [LEAST, MOST] = [7, 10];
type Line = [x: number, y: number][];

/** Moves and lines with their steps in zigzag, as the tile format writes them. */
function geometry(line: Line, closed: boolean): number[] {
  const zigzag = (n: number) => (n << 1) ^ (n >> 31);
  const out: number[] = [];
  let [atX, atY] = [0, 0];
  line.forEach(([x, y], n) => {
    if (n === 0) out.push(9);
    if (n === 1) out.push(((line.length - 1) << 3) | 2);
    out.push(zigzag(x - atX), zigzag(y - atY));
    [atX, atY] = [x, y];
  });
  if (closed) out.push(15);
  return out;
}

function tile(layers: Record<string, { type: 2 | 3; lines: Line[] }>): Uint8Array {
  const pbf = new PbfWriter();
  for (const [name, { type, lines }] of Object.entries(layers)) {
    pbf.writeMessage(3, (_, layer) => {
      layer.writeVarintField(15, 2);
      layer.writeStringField(1, name);
      for (const line of lines) {
        layer.writeMessage(2, (_none, feature) => {
          feature.writeVarintField(3, type);
          feature.writePackedVarint(4, geometry(line, type === 3));
        }, null);
      }
      layer.writeVarintField(5, EXTENT);
    }, null);
  }
  return pbf.finish();
}

const grid = (step: number): Line[] => Array.from({ length: Math.floor(EXTENT / step) }, (_, n): Line[] => [[[n * step, 0], [n * step + step, EXTENT]], [[0, n * step], [EXTENT, n * step + step / 2]]]).flat();
const river: Line = [[0, 900], [1200, 1300], [2100, 2400], [3000, 2700], [EXTENT, 3600], [EXTENT, 3750], [2950, 2850], [2000, 2540], [1100, 1440], [0, 1050]];
const house = (x: number, y: number): Line => [[x, y], [x + 60, y], [x + 60, y + 60], [x, y + 60]];

export function groundFile(places: { lat: number; lon: number }[]): ArrayBuffer {
  const ids = new Set<number>();
  for (const place of places) for (let z = LEAST; z <= MOST; z += 1) {
    const { x, y } = toUnit(place);
    ids.add(zxyToTileId(z, Math.floor(x * 2 ** z), Math.floor(y * 2 ** z)));
  }
  const sorted = [...ids].sort((a, b) => a - b);
  const bytes = tile({
    water: { type: 3, lines: [river] }, roads: { type: 2, lines: grid(512) },
    buildings: { type: 3, lines: Array.from({ length: 40 }, (_, n) => house(200 + ((n * 733) % 3700), 200 + ((n * 1571) % 3700))) },
  });
  const directory = new PbfWriter();
  directory.writeVarint(sorted.length);
  sorted.forEach((id, n) => directory.writeVarint(id - (sorted[n - 1] ?? 0)));
  for (const of of [1, bytes.length]) for (let n = 0; n < sorted.length; n += 1) directory.writeVarint(of);
  for (let n = 0; n < sorted.length; n += 1) directory.writeVarint(1);
  const root = directory.finish();
  const head = new DataView(new ArrayBuffer(127));
  [...'PMTiles'].forEach((letter, n) => head.setUint8(n, letter.charCodeAt(0)));
  head.setUint8(7, 3);
  const start = 127 + root.length;
  const numbers = [127, root.length, start, 0, start, 0, start, bytes.length, sorted.length, sorted.length, 1];
  numbers.forEach((n, at) => head.setBigUint64(8 + at * 8, BigInt(n), true));
  // Clustered; nothing is compressed; vector tiles.
  [1, 1, 1, 1, LEAST, MOST].forEach((n, at) => head.setUint8(96 + at, n));
  const file = new Uint8Array(start + bytes.length);
  file.set(new Uint8Array(head.buffer), 0);
  file.set(root, 127);
  file.set(bytes, start);
  return file.buffer;
}
