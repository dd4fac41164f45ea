// The countries' outlines, out of the window's own files: Natural Earth, public domain.
import { geoGraticule, geoMercator, geoPath } from 'd3-geo';
import { feature } from 'topojson-client';
import type { Topology, GeometryCollection } from 'topojson-specification';
import type { Feature, Geometry, Polygon } from 'geojson';

/** Units across the world in which paths are kept; drawing scales them. */
export const UNITS = 4096;

export interface Country {
  path: Path2D;
  /** left, top, right, bottom, in units */
  box: [number, number, number, number];
  code: string;
  english: string;
  /** Where its name goes, and how much room it has. */
  label: { x: number; y: number; room: number };
}

const projection = geoMercator().scale(UNITS / (2 * Math.PI)).translate([UNITS / 2, UNITS / 2]).precision(0.2);

/** The largest part: a country's name belongs there, not between its islands. */
function mainland(shape: Geometry): Geometry {
  if (shape.type !== 'MultiPolygon') return shape;
  const measure = geoPath(projection);
  const parts = shape.coordinates.map((coordinates): Polygon => ({ type: 'Polygon', coordinates }));
  return parts.reduce((most, part) => (measure.area(part) > measure.area(most) ? part : most), parts[0] ?? { type: 'Polygon', coordinates: [] });
}

function country(shape: Feature<Geometry, { name?: string }>): Country {
  const path = new Path2D();
  geoPath(projection, path as unknown as CanvasRenderingContext2D)(shape);
  const measure = geoPath(projection);
  const [[left, top], [right, bottom]] = measure.bounds(shape);
  const main = mainland(shape.geometry);
  const [[from], [to]] = measure.bounds(main);
  const [x, y] = measure.centroid(main);
  return { path, box: [left, top, right, bottom], code: String(shape.id ?? ''), english: shape.properties.name ?? '', label: { x, y, room: to - from } };
}

function countries(atlas: unknown): Country[] {
  const topology = atlas as Topology<{ countries: GeometryCollection<{ name?: string }> }>;
  // Antarctica has no voters, and Mercator makes it larger than all others.
  return feature(topology, topology.objects.countries).features.filter((shape) => shape.id !== '010').map(country);
}

const kept = new Map<boolean, Promise<Country[]>>();
/** Coarse for the whole world, fine for a region; each is read once. */
export function outlines(fine: boolean): Promise<Country[]> {
  const read = () => (fine ? import('world-atlas/countries-50m.json') : import('world-atlas/countries-110m.json'));
  const found = kept.get(fine) ?? read().then((file) => countries(file.default));
  kept.set(fine, found);
  return found;
}

/** A faint net of every ten degrees. */
export function graticule(): Path2D {
  const path = new Path2D();
  geoPath(projection, path as unknown as CanvasRenderingContext2D)(geoGraticule().extentMajor([[-180, -85], [180, 85.01]])());
  return path;
}

/** A country's name in a language, from its number in ISO 3166; the outlines' own where there is none. */
export function countryName(code: string, english: string, language: string): string {
  if (!/^\d{3}$/.test(code)) return english;
  try {
    const region = new Intl.Locale(`und-${code}`).maximize().region ?? '';
    if (!/^[A-Z]{2}$/.test(region)) return english;
    return new Intl.DisplayNames([language], { type: 'region', style: 'short' }).of(region) ?? english;
  } catch {
    return english;
  }
}
