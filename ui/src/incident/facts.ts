// Facts as rows of a name and a value, in the order in which a person asks for them.
import type { EntryRow, FieldValue, IncidentShow } from '../desk/types';
import { word } from '../i18n/codes';
import { iso, t, tongue } from '../i18n/index.svelte';
import { full } from '../shared/time';
import { agencyName } from '../state.svelte';
import { label } from '../vocab';

export interface Fact { field: string; name: string; value: string }

/** A value as people read it. */
export function valueOf(field: string, raw: FieldValue | undefined): string {
  if (raw === undefined) return '';
  if (field.endsWith('_ms')) return iso(full(Number(raw)));
  if (field.endsWith('_e7')) return (Number(raw) / 1e7).toFixed(5);
  if (field === 'channel') return word('channel', String(raw));
  if (field === 'source_reliability') return word('reliability', String(raw));
  if (field === 'category') return label(String(raw), tongue.code);
  if (field === 'severity') return t((['none', 'minor', 'moderate', 'serious', 'criticalWord'] as const)[Number(raw)] ?? 'none');
  if (Array.isArray(raw)) return raw.map((one) => (field === 'domains' ? word('domain', one) : label(one, tongue.code))).join(', ');
  return typeof raw === 'string' ? iso(raw) : String(raw);
}

/** What an entry says, in the words of the person who reads: codes by name, texts as they were written. */
export function said(entry: EntryRow): string {
  const told = Object.entries(entry.set).map(([field, value]) => `${word('field', field)}: ${valueOf(field, value)}`);
  if (told.length > 0) return told.join(', ');
  if (entry.code === null) return entry.to === null ? iso(entry.text) : iso(agencyName(entry.to));
  if (entry.action === 'refer') return `${agencyName(entry.to ?? '')}, ${word('ask', entry.code)}`;
  const step = word(entry.action === 'answer' ? 'referral' : 'state', entry.code);
  return entry.given ? `${step}: ${iso(entry.given)}` : step;
}

const order = [
  'station', 'place', 'district', 'country', 'lat_e7', 'lon_e7', 'accuracy_m', 'occurred_from_ms', 'occurred_to_ms', 'aware_at_ms', 'severity', 'category',
  'classifications', 'domains', 'hazards', 'people', 'injuries', 'deaths', 'services', 'interrupted_min', 'voters_affected', 'affected', 'systems_affected',
  'perpetrator', 'immediate_action',
];
const apart = ['summary', 'description', 'tlp'];

/** Every fact but those that have a place of their own; unknown fields of a newer peer come last, bare. */
export function allFacts(shown: IncidentShow): Fact[] {
  const rank = (field: string) => (order.indexOf(field) + 1 || order.length + 1);
  return Object.entries(shown.fields)
    .filter(([field]) => !apart.includes(field))
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b))
    .map(([field, raw]) => ({ field, name: word('field', field), value: valueOf(field, raw) }))
    .concat(toldBy(shown));
}

/** Who reported it, where that may be read here; it stands apart from the record's own facts. */
const toldBy = (shown: IncidentShow): Fact[] => (shown.reporter ? [{ field: 'reporter', name: t('reportedBy'), value: `${iso(shown.reporter)} · ${t('sealedApart')}` }] : []);

/** The few that the board shows. */
export function mainFacts(shown: IncidentShow, assigned: string | null): Fact[] {
  const text = (field: string) => (shown.fields[field] === undefined ? '' : String(shown.fields[field]));
  const station = text('station');
  const place = text('place');
  const where = [station && !place.startsWith(station) ? t('stationNo', { n: station }) : '', place && iso(place)].filter(Boolean).join(', ');
  const voting = [text('interrupted_min') && t('halted', { n: text('interrupted_min') }), text('voters_affected') && t('voters', { n: text('voters_affected') })];
  return [
    { field: 'station', name: t('where'), value: where },
    { field: 'occurred_from_ms', name: t('when'), value: valueOf('occurred_from_ms', shown.fields['occurred_from_ms']) },
    { field: 'category', name: t('kind'), value: valueOf('category', shown.fields['category']) },
    { field: 'people', name: t('people'), value: [text('people'), text('hazards')].filter(Boolean).map(iso).join(' · ') },
    { field: 'services', name: t('servicesFact'), value: iso(text('services')) },
    { field: 'voting', name: t('voting'), value: voting.filter(Boolean).join(' · ') },
    ...toldBy(shown),
    { field: 'owner', name: t('owner'), value: agencyName(shown.owner) },
    { field: 'assigned', name: t('assignedFact'), value: iso(assigned ?? '') },
  ].filter(({ value }) => value);
}
