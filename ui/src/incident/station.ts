// What stands in the field for station or place, and what of it goes into the incident.
import type { StationRow } from '../desk/types';

/** How a station's place is written in an incident. */
export const placeOf = (station: StationRow): string => [station.area, station.name].filter(Boolean).join(', ');
/** How a station stands in the field. */
export const written = (station: StationRow): string => `${station.code} · ${placeOf(station)}`;

/** The code that a typed text begins with, if it begins with a number. */
export const codeIn = (text: string): string => (/^\d/.test(text.trim()) ? text.trim().split(/[\s·,]/)[0] ?? '' : '');

export interface Where { station?: string; place?: string; lat?: number; lon?: number }

/** What is logged: a chosen station with all that is known of it, or the place as it was typed. */
export function where(form: Record<string, string>): Where {
  const text = form['station']?.trim() ?? '';
  const [lat, lon] = [form['lat'], form['lon']].map((degrees) => (degrees ? Number(degrees) : NaN));
  const at = Number.isFinite(lat) && Number.isFinite(lon) ? { lat, lon } : {};
  const station = form['code'] || codeIn(text);
  const place = form['place'] || text.replace(/^[\d-]+\s*·\s*/, '');
  // A code alone is no place.
  return { ...(station ? { station } : {}), ...(place && place !== station ? { place } : {}), ...at };
}

/** Fills a form with a station that was chosen. */
export function choose(form: Record<string, string>, station: StationRow) {
  form['station'] = written(station);
  form['code'] = station.code;
  form['place'] = placeOf(station);
  form['lat'] = station.lat === null ? '' : String(station.lat);
  form['lon'] = station.lon === null ? '' : String(station.lon);
}

/** What was chosen no longer holds: something else is being typed. */
export function forget(form: Record<string, string>) {
  for (const name of ['code', 'place', 'lat', 'lon']) form[name] = '';
}

/** A draft of the command line has code and place apart: here they stand in one field. */
export function together(form: Record<string, string>) {
  if (form['code'] || !form['place']) return;
  form['code'] = form['station'] ?? '';
  form['station'] = [form['station'], form['place']].filter(Boolean).join(' · ');
}
