// Where the map looks. Web Mercator on a unit square, so that distances on the screen are what the
// clusters and any tiles count in; zoom 0 shows the world on 512 pixels, each step doubles it.
export interface Camera { x: number; y: number; zoom: number }
export interface Size { width: number; height: number }
export interface Place { lat: number; lon: number }

const TILE = 512;
/** Deeper than this the outlines have nothing more to tell, and two stations of one street are apart. */
export const MAX_ZOOM = 13;
/** Fitting stops here: one incident alone is shown with its region around it. */
const FIT_ZOOM = 7;
/** Where Mercator is cut, so that the world is a square. */
const MAX_LAT = 85.05112878;

export const toUnit = ({ lat, lon }: Place): { x: number; y: number } => {
  const sine = Math.sin((Math.max(-MAX_LAT, Math.min(MAX_LAT, lat)) * Math.PI) / 180);
  return { x: (lon + 180) / 360, y: 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI) };
};

export const toPlace = (x: number, y: number): Place =>
  ({ lon: x * 360 - 180, lat: (360 / Math.PI) * Math.atan(Math.exp((0.5 - y) * 2 * Math.PI)) - 90 });

/** Pixels across the whole world. */
export const worldSize = (zoom: number): number => TILE * 2 ** zoom;

export function toScreen(at: { x: number; y: number }, camera: Camera, size: Size): [x: number, y: number] {
  const world = worldSize(camera.zoom);
  return [(at.x - camera.x) * world + size.width / 2, (at.y - camera.y) * world + size.height / 2];
}

/** Keeps the world under the window: no zoom beyond it, no edge inside it where it can fill it. */
export function held(camera: Camera, size: Size): Camera {
  const least = Math.log2(Math.max(size.width, TILE) / TILE);
  const zoom = Math.max(least, Math.min(MAX_ZOOM, camera.zoom));
  const world = worldSize(zoom);
  const within = (at: number, span: number) => (span >= world ? 0.5 : Math.max(span / 2 / world, Math.min(1 - span / 2 / world, at)));
  return { x: within(camera.x, size.width), y: within(camera.y, size.height), zoom };
}

/** Zooms so that what is under a point of the screen stays there. */
export function zoomed(camera: Camera, by: number, size: Size, at: [number, number] = [size.width / 2, size.height / 2]): Camera {
  const zoom = held({ ...camera, zoom: camera.zoom + by }, size).zoom;
  const shift = 1 / worldSize(camera.zoom) - 1 / worldSize(zoom);
  return held({ x: camera.x + (at[0] - size.width / 2) * shift, y: camera.y + (at[1] - size.height / 2) * shift, zoom }, size);
}

export function panned(camera: Camera, dx: number, dy: number, size: Size): Camera {
  const world = worldSize(camera.zoom);
  return held({ ...camera, x: camera.x + dx / world, y: camera.y + dy / world }, size);
}

/** The camera that shows all places with a margin; the whole world where there are none. */
export function fitted(places: Place[], size: Size, most = FIT_ZOOM): Camera {
  if (places.length === 0 || size.width === 0) return held({ x: 0.5, y: 0.36, zoom: 0 }, size);
  let [left, top, right, bottom] = [1, 1, 0, 0];
  for (const place of places) {
    const { x, y } = toUnit(place);
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  }
  const margin = 56;
  const room = (span: number, pixels: number) => Math.log2(Math.max(64, pixels - 2 * margin) / TILE / Math.max(span, 1e-9));
  const zoom = Math.min(most, room(right - left, size.width), room(bottom - top, size.height));
  return held({ x: (left + right) / 2, y: (top + bottom) / 2, zoom }, size);
}

/** Metres around the equator. */
const AROUND = 40_075_017;
/** A round distance, in metres, and its length in pixels in the middle of the picture. */
export function ruler(camera: Camera, most = 96): { metres: number; pixels: number } {
  const across = (AROUND * Math.cos((toPlace(camera.x, camera.y).lat * Math.PI) / 180)) / worldSize(camera.zoom);
  const power = 10 ** Math.floor(Math.log10(most * across));
  const metres = power * ([5, 2].find((times) => power * times <= most * across) ?? 1);
  return { metres, pixels: metres / across };
}

export const distance = (metres: number): string => (metres >= 1000 ? `${metres / 1000} km` : `${metres} m`);

/** What the screen shows, in degrees: west, south, east, north; wider by a margin of pixels. */
export function bounds(camera: Camera, size: Size, margin = 0): [number, number, number, number] {
  const world = worldSize(camera.zoom);
  const [across, down] = [(size.width / 2 + margin) / world, (size.height / 2 + margin) / world];
  const north = toPlace(Math.max(0, camera.x - across), Math.max(0, camera.y - down));
  const south = toPlace(Math.min(1, camera.x + across), Math.min(1, camera.y + down));
  return [north.lon, south.lat, south.lon, north.lat];
}
