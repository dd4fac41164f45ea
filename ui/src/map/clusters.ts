// Incidents that lie too close to tell apart are one mark, with their number and the worst of them.
import Supercluster from 'supercluster';
import type { MapPoint } from '../desk/types';
import { bounds, MAX_ZOOM, toUnit, type Camera, type Size } from './camera';

/** Within so many rem marks become one: wider than a mark with three digits. */
const RADIUS = 3.75;

export interface Mark {
  key: string; lat: number; lon: number; x: number; y: number;
  count: number;
  /** 0 where no severity was stated. */
  worst: number;
  /** How many of each severity, by its number. */
  each: number[];
  /** The incident, where it is one. */
  point: MapPoint | null;
  cluster: number | null;
}
interface Sum { worst: number; s0: number; s1: number; s2: number; s3: number; s4: number }
interface Of { at: number }

export class Clusters {
  readonly #points: MapPoint[];
  readonly #index: Supercluster<Of, Sum>;

  constructor(points: MapPoint[], rem = 16) {
    this.#points = points;
    const severity = (at: number) => points[at]?.severity ?? 0;
    this.#index = new Supercluster<Of, Sum>({
      radius: RADIUS * rem, extent: 512, maxZoom: MAX_ZOOM,
      map: ({ at }) => ({ worst: severity(at), s0: 0, s1: 0, s2: 0, s3: 0, s4: 0, [`s${severity(at)}`]: 1 }),
      reduce: (sum, more) => {
        sum.worst = Math.max(sum.worst, more.worst);
        for (const level of ['s0', 's1', 's2', 's3', 's4'] as const) sum[level] += more[level];
      },
    });
    this.#index.load(points.map((point, at) => ({
      type: 'Feature', properties: { at }, geometry: { type: 'Point', coordinates: [point.lon, point.lat] },
    })));
  }

  /** The marks in view from north to south, so that walking along them does not depend on the zoom's whims. */
  inView(camera: Camera, size: Size): Mark[] {
    if (size.width === 0) return [];
    const found = this.#index.getClusters(bounds(camera, size, 16), Math.round(camera.zoom));
    const marks = found.map((feature): Mark => {
      const [lon = 0, lat = 0] = feature.geometry.coordinates;
      const of = feature.properties;
      const place = { lat, lon, ...toUnit({ lat, lon }) };
      if ('cluster' in of && of.cluster) {
        return { ...place, key: `c${of.cluster_id}`, count: of.point_count, worst: of.worst, each: [of.s0, of.s1, of.s2, of.s3, of.s4], point: null, cluster: of.cluster_id };
      }
      const point = this.#points[(of as Of).at] ?? null;
      const worst = point?.severity ?? 0;
      return { ...place, key: point?.id ?? '', count: 1, worst, each: [0, 1, 2, 3, 4].map((level) => (level === worst ? 1 : 0)), point, cluster: null };
    });
    return marks.sort((a, b) => b.lat - a.lat || a.lon - b.lon || a.key.localeCompare(b.key));
  }

  /** The incidents of a mark, newest first as they came. */
  of(mark: Mark): MapPoint[] {
    if (mark.cluster === null) return mark.point ? [mark.point] : [];
    const held = this.#index.getLeaves(mark.cluster, Infinity).map((leaf) => (leaf.properties as Of).at).sort((a, b) => a - b);
    return held.flatMap((at) => this.#points[at] ?? []);
  }

  /** The zoom at which a cluster falls apart; null where its incidents are at one place. */
  splitsAt(mark: Mark): number | null {
    if (mark.cluster === null) return null;
    const zoom = this.#index.getClusterExpansionZoom(mark.cluster);
    return zoom > MAX_ZOOM ? null : zoom;
  }
}
