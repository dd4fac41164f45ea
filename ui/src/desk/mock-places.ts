// Where the invented night happens: towns, and stations strewn around them.
import type { BoardRow, MapPoint } from './types';

const towns: Record<string, [number, number]> = {
  Lyon: [45.7485, 4.8467], Nîmes: [43.8367, 4.3601], Metz: [49.1193, 6.1757], Lille: [50.6292, 3.0573], Brest: [48.3904, -4.4861],
  Rennes: [48.1173, -1.6778], Nantes: [47.2184, -1.5536], Dijon: [47.322, 5.0415], Toulouse: [43.6047, 1.4442], Pau: [43.2951, -0.3708],
  Amiens: [49.8941, 2.2958], Reims: [49.2583, 4.0317], Caen: [49.1829, -0.3707],
};

export function placed(rows: BoardRow[]): MapPoint[] {
  return rows.flatMap((row): MapPoint[] => {
    const town = Object.entries(towns).find(([name]) => row.place?.includes(name));
    if (!town) return [];
    const [lat, lon] = town[1];
    // A station keeps its place: the strewing hangs on its number alone.
    const number = Number(row.station ?? 0);
    const [north, east] = [((number * 37) % 200) / 100 - 1, ((number * 91) % 200) / 100 - 1];
    const { id, reference, summary, severity, state, recorded_at } = row;
    return [{ id, reference, summary, severity, state, recorded_at, disputed: row.station === '0733', lat: lat + north * 0.35, lon: lon + east * 0.5 }];
  });
}
