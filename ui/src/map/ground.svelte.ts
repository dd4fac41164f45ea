// The operator's own map file, if one is chosen: opened once, read tile by tile through the desk.
import { desk, problem } from '../desk/client';
import type { Tile, Patch } from './tiles';
import { shapesOf, unpacked } from './tiles';

const SETTING = 'tiles';
/** Patches kept: a few windows' worth, so that going back and forth reads nothing twice. */
const KEPT = 192;
/** Of tiles (PMTiles specification, version 3): Mapbox vector tiles. */
const VECTOR = 1;

export const ground = $state({ path: '', least: 0, most: 0, ready: false, problem: '', advice: '' });
let read: ((tile: Tile) => Promise<Patch | null>) | null = null;
const patches = new Map<string, Patch | null>();
const asked = new Set<string>();

const keyOf = ({ z, x, y }: Tile) => `${z}/${x}/${y}`;

async function openFile() {
  const [{ PMTiles }, { VectorTile }, { PbfReader }] = await Promise.all([import('pmtiles'), import('@mapbox/vector-tile'), import('pbf')]);
  const file = new PMTiles({
    getKey: () => SETTING,
    getBytes: async (offset: number, length: number) => ({ data: await desk.tiles(offset, length) }),
  }, undefined, unpacked);
  const header = await file.getHeader();
  if (header.tileType !== VECTOR) throw { code: 'usage', message: '', advice: '' };
  read = async (tile) => {
    const found = await file.getZxy(tile.z, tile.x, tile.y);
    return found ? { ...tile, shapes: shapesOf(new VectorTile(new PbfReader(found.data))) } : null;
  };
  Object.assign(ground, { least: header.minZoom, most: header.maxZoom, ready: true });
}

/** Opens the file that the setting names; without one there are the outlines alone. */
export async function openGround() {
  patches.clear();
  asked.clear();
  read = null;
  Object.assign(ground, { ready: false, problem: '', advice: '' });
  try {
    ground.path = (await desk.setting(SETTING)) ?? '';
    if (ground.path) await openFile();
  } catch (error) {
    const said = problem(error);
    Object.assign(ground, { problem: said.code === 'window' ? '' : said.message, advice: said.advice });
    if (!ground.problem) ground.problem = '-';
  }
}

export async function chooseGround(path: string) {
  await desk.keepSetting(SETTING, path.trim());
  await openGround();
}

/** The patches that are there; what is missing is read, and `then` called when it has come. */
export function patchesFor(tiles: Tile[], then: () => void): Patch[] {
  for (const tile of tiles) {
    const key = keyOf(tile);
    const from = read;
    if (!from || patches.has(key) || asked.has(key)) continue;
    asked.add(key);
    // A tile that cannot be read is a hole in the ground, not an error: the marks stand without it.
    void from(tile).catch(() => null).then((patch) => {
      asked.delete(key);
      if (from !== read) return;
      patches.set(key, patch);
      for (const old of patches.keys()) { if (patches.size <= KEPT) break; patches.delete(old); }
      then();
    });
  }
  return tiles.flatMap((tile) => patches.get(keyOf(tile)) ?? []);
}
