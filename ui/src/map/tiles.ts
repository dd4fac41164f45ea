// Where ground tiles lie, and what is drawn of one. Tiles come from a file that an operator supplies:
// whatever is in it is bounded, and nothing of it is more than lines on the ground.
import { worldSize, type Camera, type Size } from './camera';

export interface Tile { z: number; x: number; y: number }
/** What a tile holds, by how it is drawn; in units of the tile, 0 to 4096. */
export interface Shapes { water: Path2D; streams: Path2D; houses: Path2D; roads: Path2D; borders: Path2D }
export interface Patch extends Tile { shapes: Shapes }

/** Units across a tile; other extents are scaled to it. */
export const EXTENT = 4096;
/** A window of 4K shows about forty tiles; more at once is a camera gone wrong. */
export const MAX_TILES = 64;
/** Points of one tile that are drawn: a dense town at its deepest zoom has about a third of it. */
const MAX_POINTS = 200_000;

/** The tiles under the window, at the depth in which one is about as wide as it was made for. */
export function covering(camera: Camera, size: Size, least: number, most: number): Tile[] {
  const z = Math.max(least, Math.min(most, Math.floor(camera.zoom + 0.5)));
  const count = 2 ** z;
  const world = worldSize(camera.zoom);
  const span = (at: number, pixels: number): [number, number] => [
    Math.max(0, Math.floor((at - pixels / 2 / world) * count)), Math.min(count - 1, Math.floor((at + pixels / 2 / world) * count)),
  ];
  const [[left, right], [top, bottom]] = [span(camera.x, size.width), span(camera.y, size.height)];
  if (size.width === 0 || (right - left + 1) * (bottom - top + 1) > MAX_TILES) return [];
  const found: Tile[] = [];
  for (let y = top; y <= bottom; y += 1) for (let x = left; x <= right; x += 1) found.push({ z, x, y });
  return found;
}

// Layers by the names that the common schemes give them: Protomaps, OpenMapTiles, Shortbread.
const kinds: Record<string, keyof Shapes> = {
  water: 'water', ocean: 'water', water_polygons: 'water', waterway: 'streams', water_lines: 'streams', physical_line: 'streams',
  building: 'houses', buildings: 'houses', roads: 'roads', transportation: 'roads', streets: 'roads', boundaries: 'borders', boundary: 'borders',
};
export const kindOf = (layer: string): keyof Shapes | undefined => (Object.hasOwn(kinds, layer) ? kinds[layer] : undefined);

/** What a reader of vector tiles gives; the one in use has more. */
interface Feature { type: number; loadGeometry(): { x: number; y: number }[][] }
export interface Layers { layers: Record<string, { extent: number; length: number; feature(at: number): Feature }> }

/** The lines of a tile. Areas are closed; points and names are left out, because a mark must not be mistaken for one. */
export function shapesOf({ layers }: Layers): Shapes {
  const shapes: Shapes = { water: new Path2D(), streams: new Path2D(), houses: new Path2D(), roads: new Path2D(), borders: new Path2D() };
  let points = 0;
  for (const [name, layer] of Object.entries(layers)) {
    const kind = kindOf(name);
    if (!kind || !(layer.extent > 0)) continue;
    const scale = EXTENT / layer.extent;
    for (let at = 0; at < layer.length && points < MAX_POINTS; at += 1) {
      const feature = layer.feature(at);
      const area = feature.type === 3;
      if (feature.type !== 2 && !area) continue;
      // A lake of the layer of waters is filled; a river in it is a line.
      const path = shapes[kind === 'water' && !area ? 'streams' : kind];
      for (const ring of feature.loadGeometry()) {
        points += ring.length;
        ring.forEach(({ x, y }, n) => { if (n === 0) path.moveTo(x * scale, y * scale); else path.lineTo(x * scale, y * scale); });
        if (area) path.closePath();
      }
    }
  }
  return shapes;
}

/** Bytes of one tile or directory when unpacked: what is longer was packed to do harm. */
export const MAX_UNPACKED = 16 * 1024 * 1024;
/** Compressions of PMTiles that are read: unknown and none as they are, gzip. */
export async function unpacked(bytes: ArrayBuffer, how: number): Promise<ArrayBuffer> {
  if (how === 0 || how === 1) return bytes;
  if (how !== 2) throw new Error('a compression that is not read');
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > MAX_UNPACKED) {
      await reader.cancel();
      throw new Error('unpacks to more than a tile');
    }
    parts.push(part.value);
  }
  return new Blob(parts).arrayBuffer();
}
