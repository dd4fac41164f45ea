// The invented night's polling stations, and those of them that nobody has heard of.
import type { SilentPage, StationPage, StationQuery, StationRow } from './types';

const hours = 'opening 07:00; turnout 12:00; turnout 17:00; closing 20:00';
const known: [code: string, name: string, area: string, lat: number, lon: number, last?: string][] = [
  ['0098', 'école Jules Ferry', 'Lille', 50.6293, 3.0571, '20:55'], ['0157', 'gymnase du Moulin-Neuf', 'Amiens', 49.9289, 2.3156, '11:40'],
  ['0164', 'bibliothèque Émile-Zola', 'Amiens', 49.8969, 2.2985], ['0408', 'école maternelle du Champ-de-Foire', 'Lyon 3e', 45.7581, 4.8349, '16:52'],
  ['0410', 'école Paul Bert', 'Lyon 3e', 45.7538, 4.8557, '20:12'], ['0419', 'collège Joséphine-Baker', 'Lyon 7e', 45.7288, 4.8201, '16:31'],
  ['0421', '12 rue Chevreul', 'Lyon 7e', 45.7496, 4.8455, '20:41'], ['0422', 'salle Jean-Macé', 'Lyon 7e', 45.7467, 4.8398, '16:58'], ['0427', 'école Aimé-Césaire', 'Lyon 7e', 45.7375, 4.8529, '17:20'],
  ['0478', 'mairie annexe Victor-Hugo', 'Dijon', 47.3301, 5.0288, '11:15'], ['0562', 'mairie annexe', 'Brest', 48.3904, -4.4861, '20:50'],
  ['0639', 'collège Aimé-Césaire', 'Toulouse', 43.5912, 1.4601, '16:47'], ['0733', 'gymnase Saint-Symphorien', 'Metz', 49.1072, 6.1661, '20:58'],
  ['0738', 'école maternelle des Quatre-Vents', 'Metz', 49.1311, 6.2018, '16:40'], ['0855', 'salle Joséphine-Baker', 'Marseille 5e', 43.3055, 5.4174], ['1180', 'salle des fêtes', 'Nîmes', 43.8367, 4.3601, '21:09'],
  ['1203', 'مدرسة النور', 'الميناء القديم', 43.2951, 5.3742],
];
const silentOnes = ['0157', '0164', '0408', '0419', '0422', '0427', '0478', '0855', '0639'];
const row = ([code, name, area, lat, lon]: (typeof known)[number]): StationRow => ({ code, name, area, lat, lon, expected_by: code === '1203' ? '' : hours });
const plain = (text: string) => text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');

export function stations({ search = '', limit, offset }: StationQuery): StationPage {
  const words = plain(search).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const hit = (station: StationRow) => {
    const own = plain(`${station.code} ${station.name} ${station.area}`).split(/[^\p{L}\p{N}]+/u);
    return words.every((word) => own.some((one) => one.startsWith(word)));
  };
  const items = words.length === 0 && search.trim() ? [] : known.map(row).filter(hit);
  return { total: items.length, items: items.slice(offset, offset + limit) };
}

export function silent(at: (time: string) => string): SilentPage {
  const wanted = new URLSearchParams(location.search).get('stations');
  const empty = { stations: wanted === 'none' ? 0 : known.length, expected: wanted === 'none' ? 0 : known.length - 1, total: 0, since: null, items: [] };
  if (wanted) return empty;
  const items = known.filter(([code]) => silentOnes.includes(code)).map((one) => {
    const last = one[5];
    const [expected, since, missed] = !last ? ['opening 07:00', '07:00', 4] : last < '12' ? ['turnout 17:00', '17:00', 2] : ['closing 20:00', '20:00', 1];
    return { station: row(one), expected: String(expected), since: at(String(since)), missed: Number(missed), last_at: last ? at(last) : null };
  });
  items.sort((a, b) => a.since.localeCompare(b.since) || a.station.code.localeCompare(b.station.code));
  return { ...empty, total: items.length, since: at('20:00'), items };
}
