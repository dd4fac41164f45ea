// One picture of the ground: sea, land, borders, a faint net, names where they fit.
import { toScreen, toUnit, worldSize, type Camera, type Place, type Size } from './camera';
import type { Mark } from './clusters';
import { countryName, graticule, UNITS, type Country } from './outlines';
import { EXTENT, type Patch } from './tiles';

export interface Tones { sea: string; land: string; border: string; net: string; name: string; hollow: string; font: string; rem: number }

/** The colours of the theme that is on. */
export function tones(): Tones {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return { sea: of('--sea'), land: of('--land'), border: of('--border'), net: of('--net'), name: of('--place'), hollow: of('--text'), font: of('--font'), rem: parseFloat(style.fontSize) || 16 };
}

let net: Path2D | undefined;
const names = new Map<string, string>();

function named(country: Country, language: string): string {
  const key = `${language} ${country.code} ${country.english}`;
  const known = names.get(key) ?? countryName(country.code, country.english, language);
  names.set(key, known);
  return known;
}

export function draw(canvas: HTMLCanvasElement, countries: Country[], patches: Patch[], marks: Mark[], silent: Place[], camera: Camera, size: Size, tone: Tones, language: string) {
  const to = canvas.getContext('2d');
  if (!to || size.width === 0) return;
  const dots = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(size.width * dots), Math.round(size.height * dots)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const scale = worldSize(camera.zoom) / UNITS;
  const [left, top] = toScreen({ x: 0, y: 0 }, camera, size);
  to.setTransform(1, 0, 0, 1, 0, 0);
  to.fillStyle = tone.sea;
  to.fillRect(0, 0, width, height);
  to.setTransform(dots * scale, 0, 0, dots * scale, dots * left, dots * top);
  to.lineJoin = 'round';
  to.strokeStyle = tone.net;
  to.lineWidth = 1 / scale;
  if (camera.zoom < 6) to.stroke((net ??= graticule()));
  const inView = countries.filter(({ box }) => box[2] * scale + left > 0 && box[0] * scale + left < size.width && box[3] * scale + top > 0 && box[1] * scale + top < size.height);
  to.fillStyle = tone.land;
  for (const country of inView) to.fill(country.path);
  for (const patch of patches) paint(to, patch, camera, size, dots, tone);
  to.setTransform(dots * scale, 0, 0, dots * scale, dots * left, dots * top);
  to.strokeStyle = tone.border;
  to.lineWidth = 0.8 / scale;
  for (const country of inView) to.stroke(country.path);
  to.setTransform(dots, 0, 0, dots, 0, 0);
  const half = tone.rem * 1.4;
  const taken = marks.map((mark): Box => {
    const [x, y] = toScreen(mark, camera, size);
    return [x - half, y - half / 2, x + half, y + half / 2];
  });
  labels(to, inView, taken, (x, y) => [x * scale + left, y * scale + top], scale, tone, language);
  to.setTransform(dots * scale, 0, 0, dots * scale, dots * left, dots * top);
  const around = inView.find((country) => to.isPointInPath(country.path, width / 2, height / 2));
  to.setTransform(dots, 0, 0, dots, 0, 0);
  for (const place of silent) hollow(to, toScreen(toUnit(place), camera, size), tone);
  if (around) banner(to, around, [around.label.x * scale + left, around.label.y * scale + top], size, tone, language);
}

/** One tile of the operator's map, within its own square: tiles hold a margin that the next one draws. */
function paint(to: CanvasRenderingContext2D, { z, x, y, shapes }: Patch, camera: Camera, size: Size, dots: number, tone: Tones) {
  const across = worldSize(camera.zoom) / 2 ** z;
  const [left, top] = toScreen({ x: x / 2 ** z, y: y / 2 ** z }, camera, size);
  const scale = across / EXTENT;
  to.save();
  to.setTransform(dots, 0, 0, dots, 0, 0);
  to.beginPath();
  to.rect(left, top, across, across);
  to.clip();
  to.setTransform(dots * scale, 0, 0, dots * scale, dots * left, dots * top);
  to.fillStyle = tone.sea;
  to.fill(shapes.water, 'evenodd');
  to.fillStyle = tone.net;
  to.fill(shapes.houses);
  const lines: [Path2D, string, number][] = [[shapes.streams, tone.sea, 1], [shapes.roads, tone.border, camera.zoom > 11 ? 1.5 : 0.75], [shapes.borders, tone.border, 1]];
  for (const [path, colour, width] of lines) {
    to.strokeStyle = colour;
    to.lineWidth = width / scale;
    to.stroke(path);
  }
  to.restore();
}

/** A station that is silent: a ring with nothing in it, smaller than any mark. */
function hollow(to: CanvasRenderingContext2D, [x, y]: [number, number], tone: Tones) {
  to.beginPath();
  to.arc(x, y, tone.rem * 0.4, 0, 2 * Math.PI);
  to.fillStyle = tone.land;
  to.fill();
  to.strokeStyle = tone.hollow;
  to.lineWidth = tone.rem * 0.125;
  to.setLineDash([tone.rem * 0.2, tone.rem * 0.125]);
  to.stroke();
  to.setLineDash([]);
}

type Box = [left: number, top: number, right: number, bottom: number];
const touches = (a: Box, b: Box) => a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1];

/** Within a country, where its name lies outside the picture, the name stands on top. */
function banner(to: CanvasRenderingContext2D, country: Country, [x, y]: [number, number], size: Size, tone: Tones, language: string) {
  if (x > 0 && y > 0 && x < size.width && y < size.height) return;
  to.font = `${0.875 * tone.rem}px ${tone.font}`;
  to.strokeText(named(country, language), size.width / 2, 1.5 * tone.rem);
  to.fillText(named(country, language), size.width / 2, 1.5 * tone.rem);
}

/** The widest countries first; a name steps aside for a mark, and one that would touch another is left out. */
function labels(to: CanvasRenderingContext2D, countries: Country[], taken: Box[], place: (x: number, y: number) => [number, number], scale: number, tone: Tones, language: string) {
  to.textAlign = 'center';
  to.textBaseline = 'middle';
  to.fillStyle = tone.name;
  to.strokeStyle = tone.land;
  to.lineWidth = 3;
  for (const country of [...countries].sort((a, b) => b.label.room - a.label.room)) {
    const room = country.label.room * scale;
    if (room < 2 * tone.rem) break;
    const height = (room > 24 * tone.rem ? 0.875 : 0.6875) * tone.rem;
    to.font = `${height}px ${tone.font}`;
    const name = named(country, language);
    const width = to.measureText(name).width;
    if (width > room * 0.92) continue;
    const [x, middle] = place(country.label.x, country.label.y);
    for (const aside of room > 12 * tone.rem ? [0, 1.75, -1.75] : [0]) {
      const y = middle + aside * tone.rem;
      const box: Box = [x - width / 2 - 4, y - height * 0.7, x + width / 2 + 4, y + height * 0.7];
      if (taken.some((other) => touches(box, other))) continue;
      taken.push(box);
      to.strokeText(name, x, y);
      to.fillText(name, x, y);
      break;
    }
  }
}
