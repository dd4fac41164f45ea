// A desk made of paper: an invented election night behind the window's commands, for looking at the
// screens in an ordinary browser and for tests. It is built in only with VITE_MOCK=1.
import { emit } from '@tauri-apps/api/event';
import { mockIPC } from '@tauri-apps/api/mocks';
import { groundFile } from './mock-ground';
import { verdict } from './mock-files';
import { placed } from './mock-places';
import { paperReports } from './mock-reports';
import { silent, stations } from './mock-stations';
import type * as T from './types';

/** The night's "now"; every time below is told from it. */
const NIGHT = Date.parse('2026-10-04T21:14:32+02:00');
const at = (time: string) => `2026-10-04T${time.length === 5 ? `${time}:00` : time}+02:00`;
const hex = (seed: string, length = 64) => {
  let out = '';
  // FNV-1a, again and again: enough to look like a hash and to differ from its neighbours.
  for (let turn = 0; out.length < length; turn += 1) {
    let state = 2_166_136_261;
    for (const letter of `${turn}${seed}`) state = Math.imul(state ^ letter.charCodeAt(0), 16_777_619);
    out += (state >>> 0).toString(16).padStart(8, '0');
  }
  return out.slice(0, length);
};

type Seed = [reference: string, severity: number, summary: string, category: string, state: string, time: string, station: string, place: string, extra?: Partial<T.BoardRow>];
const seeds: Seed[] = [
  ['EMB-0421-0007', 4, 'Ballot box destroyed with acid', 'ops:box-tampering', 'new', '20:41', '0421', '12 rue Chevreul, Lyon 7e', { exhibits: 2, domains: ['physical', 'operational'], referral: { to: 'police', state: 'seen', respond_by: at('21:16:00') } }],
  ['CERT-JOC-0031', 4, 'Results site under DDoS, 40 Gbit/s', 'rsit:availability.ddos', 'new', '20:16', '', 'National', { domains: ['cyber'], owner: 'cert' }],
  ['EMB-1180-0002', 3, 'Vote suspended: power out, no generator', 'ops:suspension', 'new', '21:09', '1180', 'Nîmes', { domains: ['operational'] }],
  ['EMB-JOC-0112', 3, 'False closing time spread as official notice', 'info:false-time-place-manner', 'triaged', '21:02', '', 'National', { domains: ['information'], disputed: ['severity'] }],
  ['EMB-0733-0004', 2, 'Observer refused entry to the count', 'ops:observer-denied', 'new', '20:58', '0733', 'Metz', { domains: ['operational'] }],
  ['POL-K2-0019', 2, 'Threats shouted at presiding officer', 'act:threat-life', 'assigned', '20:55', '0098', 'Lille', { domains: ['physical'], owner: 'police', assigned: 'Insp. Marchand' }],
  ['EMB-0562-0001', 1, 'Voter list printed without page 14', 'ops:missing-material', 'new', '20:50', '0562', 'Brest', { domains: ['operational'] }],
  ['EMB-0421-0006', 3, 'Queue dispersed, station reopened 20:20', 'ops:queue', 'in-progress', '19:52', '0421', 'Lyon 7e', { domains: ['operational'], referral: { to: 'police', state: 'accepted', respond_by: null } }],
  ['CERT-JOC-0030', 2, 'Phishing against party staff mailboxes', 'rsit:fraud.phishing', 'contained', '19:40', '', '2 parties', { domains: ['cyber'], owner: 'cert' }],
];
const rows: T.BoardRow[] = seeds.map(([reference, severity, summary, category, state, time, station, place, extra]) => ({
  id: hex(reference, 32), reference, severity, summary, category, state, owner: 'emb', disputed: [], station: station || null,
  place: place || null, domains: [], exhibits: 0, recorded_at: at(time), last_at: at(time), referral: null, assigned: null, apart: reference === 'EMB-0562-0001', ...extra,
}));
const places = ['Rennes', 'Nantes', 'Dijon', 'Toulouse', 'Pau', 'Amiens', 'Reims', 'Caen'];
const said = ['Late opening, 40 minutes', 'Queue of two hours', 'Stamp missing', 'Campaign poster inside the station', 'Voter turned away by mistake', 'Seal number differs from the list'];
for (let i = 0; i < 129; i += 1) {
  const minutes = 19 * 60 + 38 - i * 4;
  const time = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  const station = String(100 + ((i * 37) % 900)).padStart(4, '0');
  rows.push({
    id: hex(`older${i}`, 32), reference: `EMB-${station}-${String(i + 1).padStart(4, '0')}`, severity: 1 + (i % 3), summary: said[i % said.length] ?? '',
    category: 'ops:late-opening', state: i % 4 === 0 ? 'triaged' : 'in-progress', owner: 'emb', disputed: [], station, place: places[i % places.length] ?? '',
    domains: ['operational'], exhibits: i % 5 === 0 ? 1 : 0, recorded_at: at(time), last_at: at(time), referral: null, assigned: i % 3 === 0 ? 'Duty Officer' : null, apart: false,
  });
}

const entry = (number: number, action: string, text: string, operator: string, device: string, agency: string, time: string, status: string): T.EntryRow => ({
  id: hex(`entry${number}${text}`), envelope: hex(`envelope${number}${text}`), action, text, set: {}, to: null, code: null, given: null, agency, device, operator,
  recorded_at: at(time), clock: number % 4 === 3 ? 'os-unsynced' : 'os-synced', number, status, reason: null, why: null,
});
const box: T.EntryRow[] = [
  entry(31, 'create', 'Two masked persons poured acid on the box. Vote halted.', 'P. Officer', 'Field 12', 'emb', '20:41:07', 'witnessed'),
  entry(32, 'exhibit', 'Photo from the doorway', 'P. Officer', 'Field 12', 'emb', '20:41:40', 'witnessed'),
  entry(33, 'exhibit', 'Photo of the box', 'P. Officer', 'Field 12', 'emb', '20:41:58', 'witnessed'),
  entry(204, 'refer', 'Referred to police: respond', 'Duty Officer', 'JOC 1', 'emb', '20:42:10', 'witnessed'),
  entry(77, 'answer', 'Referral seen', 'Insp. Marchand', 'K2 desk', 'police', '20:44:51', 'witnessed'),
  entry(34, 'note', 'Box replaced, seal 88213', 'P. Officer', 'Field 12', 'emb', '20:55:20', 'valid'),
];
/** By a laptop that was stolen at 21:10. */
const after: T.EntryRow[] = [
  { ...entry(13, 'note', 'The missing page was found, all is in order', 'C. Adeyemi', 'Field 31', 'emb', '21:12:40', 'quarantined'), reason: 'it was written after its device was revoked', why: 'revoked' },
  { ...entry(14, 'state', 'Moved to resolved', 'C. Adeyemi', 'Field 31', 'emb', '21:12:58', 'quarantined'), code: 'resolved', reason: 'it was written after its device was revoked', why: 'revoked' },
];
const offered: T.ReferralItem = {
  id: hex('referral'), record: 'EMB-0421-0007', summary: 'Ballot box destroyed with acid', from: 'emb', to: 'police', ask: 'respond', state: 'seen',
  respond_by: at('21:16:00'), overdue: false, reason: null, offered_at: at('20:42:10'),
  steps: [
    { state: 'offered', agency: 'emb', operator: 'Duty Officer', at: at('20:42:10') },
    { state: 'received', agency: 'police', operator: 'K2 desk', at: at('20:42:13') },
    { state: 'seen', agency: 'police', operator: 'Insp. Marchand', at: at('20:44:51') },
  ],
};
const asked: T.ReferralItem = {
  id: hex('asked'), record: 'POL-K2-0019', summary: 'Threats shouted at presiding officer', from: 'police', to: 'emb', ask: 'provide-evidence', state: 'received',
  respond_by: at('21:13:00'), overdue: true, reason: null, offered_at: at('20:58:00'),
  steps: [{ state: 'offered', agency: 'police', operator: 'Insp. Marchand', at: at('20:58:00') }, { state: 'received', agency: 'emb', operator: 'JOC 1', at: at('20:58:04') }],
};
const photo = (name: string, description: string): T.ExhibitRow => ({
  id: hex(name), name, description, size: 2_418_337, sha256: hex(`sha${name}`), holder: 'emb', here: true,
  custody: [`collected ${at('20:41:40')} by Field 12`],
});

function show(name: string): T.IncidentShow {
  const row = rows.find((held) => held.id === name || held.reference === name) ?? rows[0];
  if (!row) throw error('not-found', `no incident is called ${name}`, 'Nothing was changed. Search for it on the board.');
  const first = row.reference === 'EMB-0421-0007';
  const disputes: T.IncidentShow['disputes'] = row.disputed.length === 0 ? {} : {
    severity: [
      { value: 3, agency: 'emb', operator: 'Duty Officer', at: at('21:03:10'), entry: hex('a') },
      { value: 2, agency: 'cert', operator: 'A. Okafor', at: at('21:04:02'), entry: hex('b') },
    ],
  };
  const fields: Record<string, T.FieldValue> = {
    summary: row.summary, category: row.category, severity: row.severity, domains: row.domains, tlp: 'AMBER',
    occurred_from_ms: Date.parse(row.recorded_at) - 180_000,
  };
  if (row.station) fields['station'] = row.station;
  if (row.place) fields['place'] = row.place;
  if (first) Object.assign(fields, {
    people: 'None hurt · two perpetrators unknown, left on foot', services: 'Fire brigade called 20:39', hazards: 'Acid on the floor, room ventilated',
    interrupted_min: 17, voters_affected: 412, perpetrator: 'unknown',
    description: 'Two masked persons came in at 20:38, poured liquid from a bottle into box 2 and left on foot towards the river. About 40 ballots were in it. I have closed the room and kept the box as it is.',
  });
  return {
    id: row.id, reference: row.reference, owner: row.owner, state: row.state, fields, disputes,
    entries: first ? [...box, ...(added.get(row.id) ?? [])] : [entry(12, 'create', row.summary, 'Duty Officer', 'JOC 1', row.owner, row.recorded_at.slice(11, 19), 'witnessed'), ...(added.get(row.id) ?? []), ...(row.apart ? after : [])],
    referrals: first ? [offered] : [], exhibits: first ? [photo('IMG_2041.jpg', 'Photo from the doorway'), photo('IMG_2042.jpg', 'Photo of the box')] : [],
    links: [...(first ? [{ relation: 'related', id: hex('link'), reference: 'EMB-0421-0006' }] : []), ...(merged.has(row.id) ? [{ relation: 'duplicate-of', ...merged.get(row.id)!.into }] : [])],
    audience: ['emb', 'police'], audience_sentence: first ? 'Can be read by the Central Election Commission and the National Police.' : 'Can be read by the Central Election Commission, and by nobody else.',
    reporter: row.reference === 'EMB-0733-0004' ? 'M. Keller, observer, call sign OBS 4' : null, gaps: row.reference === 'EMB-1180-0002' ? ['2 entries by Field 31 have not arrived'] : [], digest: hex('digest'),
  };
}
const added = new Map<string, T.EntryRow[]>();
const merged = new Map<string, { into: { id: string; reference: string }; from: string }>();
const named = (reference: unknown) => rows.find((row) => row.id === reference || row.reference === reference);
/** What this device keeps: views of one's own, and whom to alert when the police are silent. */
const kinds = ['ops:late-opening', 'ops:suspension', 'info:false-time-place-manner'];
const settings = new Map<string, string>([
  ['views', JSON.stringify(['Late openings', 'Vote suspended', 'False information'].map((name, at) => ({ name, lens: { view: 'open', search: '', state: '', category: kinds[at], severity: 0 } })))],
  ['ladder', JSON.stringify({ '*': [{ after: 30, whom: 'Shift lead' }], police: [{ after: 30, whom: 'Police commander' }, { after: 45, whom: 'Head of the JOC' }] })],
]);

function error(code: string, message: string, advice: string): T.ErrorReport { return { code, message, advice }; }

function board(query: T.BoardQuery): T.BoardPage {
  const words = (query.search ?? '').toLowerCase();
  const views: Record<string, (row: T.BoardRow) => boolean> = {
    new: (row) => row.state === 'new', mine: (row) => row.assigned === 'Duty Officer', critical: (row) => row.severity === 4,
    waiting: (row) => row.referral !== null && row.referral.state !== 'accepted', overdue: (row) => row.reference === 'EMB-JOC-0112',
    open: (row) => !['closed', 'unfounded', 'duplicate', 'out-of-scope'].includes(row.state),
  };
  const narrowed = (row: T.BoardRow) => (!query.state || row.state === query.state) && (!query.category || row.category === query.category) && (!query.severity || row.severity === query.severity);
  const items = rows.filter((row) => (views[query.view ?? 'all'] ?? (() => true))(row) && narrowed(row)).filter((row) => `${row.summary} ${row.reference} ${row.place}`.toLowerCase().includes(words));
  return {
    total: items.length, items: items.slice(query.offset, query.offset + query.limit),
    counts: { new: 7, open: rows.length, critical: 2, unanswered: 7, overdue: 3, mine: 4, silent: silent(at).total, silent_since: silent(at).since },
  };
}

const agencies: T.AgencyRow[] = [
  { id: 'cert', kind: 'cert', name: 'National CERT', contested: false }, { id: 'court', kind: 'court', name: 'Constitutional Court', contested: false },
  { id: 'emb', kind: 'emb', name: 'Central Election Commission', contested: false }, { id: 'police', kind: 'police', name: 'National Police', contested: false },
];
type Held = [name: string, agency: string, operator: string, roles: string[], heard: string | null];
const devices: T.DeviceRow[] = ([
  ['JOC 1', 'emb', 'Duty Officer', ['desk', 'admin'], null], ['JOC 2', 'emb', 'Deputy Officer', ['desk', 'admin'], '21:12:00'], ['Field 12', 'emb', 'P. Officer', ['field'], '20:55:31'],
  ['Field 31', 'emb', 'C. Adeyemi', ['field'], '21:13:02'], ['K2 desk', 'police', 'Insp. Marchand', ['desk'], '21:14:20'],
  ['CERT 1', 'cert', 'A. Okafor', ['desk'], '21:13:30'], ['Registry 1', 'court', 'Registrar Lindqvist', ['desk', 'registrar', 'adjudicator'], '20:36:00'],
] as Held[]).map(([name, agency, operator, roles, heard]) => ({
  id: hex(`device${name}`), agency, name, operator, roles, status: name === 'Field 31' ? 'revoked' : 'active', reason: name === 'Field 31' ? 'laptop stolen 21:10' : null,
  revoked_at: name === 'Field 31' ? at('21:11:20') : null, apart: name === 'Field 31' ? 3 : 0, last_contact: heard ? at(heard) : null, here: name === 'JOC 1',
}));

function reach(id: string, limit: number, offset: number): T.ReachReport {
  const held = devices.find((one) => one.id === id) ?? devices[2];
  if (!held) throw error('not-found', 'no device is called so here', 'Nothing was changed.');
  const desks = held.roles.some((role) => role !== 'field');
  const within = rows.filter((row, n) => (desks ? row.owner !== 'court' : ['EMB-0421-0007', 'EMB-0421-0006', 'POL-K2-0019', 'EMB-0562-0001'].includes(row.reference) || n % 23 === 0));
  const why = (row: T.BoardRow) => (row.owner === 'police' ? 'granted' : row.reference === 'EMB-0421-0007' || !desks ? 'wrote' : 'own');
  const items: T.ReachRow[] = within.map((row) => ({ id: row.id, reference: row.reference, summary: row.summary, kind: 'incident', owner: row.owner, exhibits: row.exhibits, recorded_at: row.recorded_at, why: why(row) }));
  const counted = [['wrote', 'emb'], ['granted', 'police'], ['own', 'emb'], ['own', 'cert']].map(([reason = '', owner = '']) => {
    const of = items.filter((row) => row.why === reason && row.owner === owner);
    return { why: reason, owner, records: of.length, exhibits: of.reduce((sum, row) => sum + row.exhibits, 0) };
  }).filter((of) => of.records > 0);
  const revoked = held.status === 'revoked';
  const written = (number: number, reference: string | null, time: string): T.WrittenRow => ({ number, envelope: hex(`written${number}`), record: hex(reference ?? 'alone', 32), reference, at: at(time) });
  return {
    device: held.id, name: held.name, agency: held.agency, operator: held.operator, roles: held.roles, status: held.status, revoked_at: held.revoked_at, agency_key: desks,
    total: items.length, exhibits: items.reduce((sum, row) => sum + row.exhibits, 0), counted, items: items.slice(offset, offset + limit), later: desks && revoked ? 4 : 0, absent: 1,
    entries: 34, last: written(34, 'EMB-0421-0007', '20:55:20'), cut: revoked ? 31 : null, apart: held.apart,
    beyond: held.apart > 0 ? [written(32, 'EMB-0562-0001', '21:12:40'), written(33, 'EMB-0562-0001', '21:12:58'), written(34, null, '21:13:02')] : [],
  };
}

function revoking(id: string, lastGood: unknown, since: unknown): T.RevokeLook {
  const held = devices.find((one) => one.id === id);
  const cut = typeof lastGood === 'number' ? lastGood : since ? 31 : 34;
  return {
    device: id, name: held?.name ?? '', operator: held?.operator ?? '', known: 34, known_at: at('20:55:20'), cut, cut_at: cut === 34 ? at('20:55:20') : at('20:41:07'), apart: 34 - cut,
    approvers: devices.filter((one) => one.agency === held?.agency && one.roles.includes('admin') && !one.here && one.id !== id).map(({ id: device, name, operator }) => ({ device, name, operator })),
  };
}

const exchange: T.ExchangeStatus = {
  relay_url: 'wss://relay.example.org', relay_state: 'connected', lan_address: null, endpoint: hex('endpoint'), waiting: 4,
  peers: [
    { agency: 'emb', name: 'Central Election Commission', last_contact: at('21:14:31'), not_reached: 0 },
    { agency: 'police', name: 'National Police', last_contact: at('21:14:20'), not_reached: 0 },
    { agency: 'cert', name: 'National CERT', last_contact: at('21:13:30'), not_reached: 0 },
    { agency: 'court', name: 'Constitutional Court', last_contact: at('20:36:00'), not_reached: 4 },
  ],
  refused: [{ reason: 'an envelope of a device that the roster does not know (Field 44)' }],
};
let vault: T.VaultStatus = {
  state: 'open', operation: 'Parliamentary election 2026', exercise: false, agency: 'emb', agency_name: 'Central Election Commission',
  device: 'JOC 1', device_id: hex('deviceJOC 1'), operator: 'Duty Officer', roles: ['desk', 'admin'], last_sync: at('21:14:29'), emergency_number: '112',
};
let draft: T.LogDraft | null = null;
let logged = 8;
let town: ArrayBuffer | undefined;

/** What each command does; `path` and passphrases are looked at only to refuse. */
const commands: Record<string, (args: Record<string, unknown>) => unknown> = {
  ...paperReports(hex, at),
  vault_status: () => vault,
  unlock: ({ passphrase }) => {
    if (passphrase === 'wrong') throw error('locked', 'This passphrase does not open the vault.', 'The vault is untouched. Try again; after a few tries ask your administrator for a new device.');
    return (vault = { ...vault, state: 'open' });
  },
  start_operation: () => (vault = { ...vault, state: 'open' }),
  request_agency: () => (vault = { ...vault, state: 'waiting' }),
  request_device: () => (vault = { ...vault, state: 'waiting' }),
  join_operation: () => (vault = { ...vault, state: 'open' }),
  board: ({ query }) => board(query as T.BoardQuery),
  map: ({ query }) => {
    const found = board({ ...(query as T.BoardQuery), limit: Infinity, offset: 0 });
    const points = new URLSearchParams(location.search).get('places') === 'none' ? [] : placed(found.items);
    return { total: found.total, placed: points.length, points, counts: found.counts };
  },
  incident_show: ({ reference, asOf }) => {
    const found = show(String(reference));
    if (!asOf) return found;
    return { ...found, referrals: [], exhibits: [], entries: found.entries.filter((held) => Date.parse(held.recorded_at) <= Date.parse(String(asOf))) };
  },
  incident_log: ({ input }) => {
    const log = input as T.LogIncident;
    const row: T.BoardRow = {
      id: hex(`logged${logged}`, 32), reference: `EMB-${log.station ?? 'JOC'}-${String((logged += 1)).padStart(4, '0')}`, summary: log.summary, category: log.category,
      severity: log.severity ?? 0, state: 'new', owner: 'emb', disputed: [], station: log.station ?? null, place: log.place ?? null, domains: log.domains,
      exhibits: 0, recorded_at: new Date(Date.now()).toISOString(), last_at: new Date(Date.now()).toISOString(), referral: null, assigned: null, apart: false,
    };
    rows.unshift(row);
    void emit('changed', { records: [row.id] });
    return { id: row.id, reference: row.reference, entry: hex(row.id), recorded_at: row.recorded_at };
  },
  draft_get: () => draft,
  draft_put: ({ form }) => (draft = { form: form as Record<string, string>, kept_at: new Date(Date.now()).toISOString() }),
  draft_clear: () => { draft = null; },
  incident_opened: () => undefined,
  incident_likely: ({ reference }) => {
    const here = rows.find((row) => row.id === reference || row.reference === reference);
    const near = rows.filter((row) => here?.station && row.station === here.station && row.id !== here.id && row.state !== 'duplicate');
    return { items: near.map((row) => ({ row, common: ['station', 'time'] })) };
  },
  incident_duplicate: ({ reference, of, undo }) => {
    const [row, into] = [named(reference), named(of)];
    if (row && undo) { row.state = merged.get(row.id)?.from ?? row.state; merged.delete(row.id); }
    else if (row && into) { merged.set(row.id, { into: { id: into.id, reference: into.reference }, from: row.state }); row.state = 'duplicate'; }
    return { entry: hex('duplicate') };
  },
  referral_list: ({ inbox }) => ({ items: inbox ? [asked] : [offered] }),
  incident_note: ({ reference, text }) => {
    const row = rows.find((held) => held.id === reference || held.reference === reference);
    if (row) added.set(row.id, [...(added.get(row.id) ?? []), entry(9, 'note', String(text), 'Duty Officer', 'JOC 1', 'emb', '21:14:32', 'valid')]);
    if (row) void emit('changed', { records: [row.id] });
    return { entry: hex(String(text)) };
  },
  incident_amend: ({ reference, set, settles }) => {
    const row = rows.find((held) => held.id === reference || held.reference === reference);
    const severity = (set as Record<string, string>)['severity'];
    if (row && severity) row.severity = Number(severity);
    if (row && settles) row.disputed = [];
    return { entry: hex('amend') };
  },
  incident_state: ({ reference, state }) => {
    const row = rows.find((held) => held.id === reference || held.reference === reference);
    if (row) row.state = String(state);
    return { entry: hex('state') };
  },
  incident_assign: ({ reference, to }) => {
    const row = rows.find((held) => held.id === reference || held.reference === reference);
    if (row) row.assigned = String(to);
    return { entry: hex('assign') };
  },
  audience_preview: ({ with: list }) => ({ audience: ['emb', ...(list as string[])], sentence: `Will be readable by the Central Election Commission${(list as string[]).map((id) => ` and ${agencies.find((agency) => agency.id === id)?.name ?? id}`).join('')}.` }),
  share: () => ({ audience: ['emb'], sentence: '' }),
  refer: () => ({ referral: hex('r'), record: hex('r', 32) }),
  referral_answer: () => ({ entry: hex('answer') }),
  exhibit_add: () => ({ exhibit: hex('x'), sha256: hex('s'), sha512: hex('t', 128), size: 1 }),
  station_list: ({ query }) => stations(query as T.StationQuery),
  station_silent: ({ query }) => { const found = silent(at); return { ...found, items: found.items.slice((query as T.SilentQuery).offset, (query as T.SilentQuery).offset + (query as T.SilentQuery).limit) }; },
  roster_show: () => ({ operation: hex('operation'), operation_name: vault.operation, exercise: false, epoch: 2, threshold: 3, agencies, devices }),
  device_reach: ({ device, limit, offset }) => reach(String(device), Number(limit), Number(offset)),
  revoke_look: ({ device, lastGood, since }) => revoking(String(device), lastGood, since),
  revoke_ask: ({ device, lastGood }) => ({ device, cut: lastGood }),
  revoke_device: ({ device, reason, lastGood }) => {
    const held = devices.find((one) => one.id === device);
    if (held) Object.assign(held, { status: 'revoked', reason, revoked_at: at('21:14:32') });
    return { device, cut: lastGood };
  },
  approval_look: ({ path }) => {
    if (String(path).includes('other')) throw error('integrity', 'this file is not a request to approve a revocation, or is damaged', 'Nothing was imported; what this device holds is untouched. Ask the sender for a new copy.');
    return {
      device: hex('deviceField 12'), name: 'Field 12', operator: 'P. Officer', last_good: 33, last_good_at: at('20:41:58'), known: 34, apart: 1,
      reason: 'Laptop taken from the car at 20:50, Lyon 7e', asked_by: 'JOC 2', asked_at: at('21:13:05'),
    };
  },
  approval_write: ({ device, lastGood }) => ({ device, cut: lastGood }),
  enrol_look: () => ({ device: hex('deviceField 44'), agency: 'emb', name: 'Field 44', operator: 'S. Nakamura', roles: ['field'], unit: 'Rhône', agency_key: false, known: false }),
  enrol: () => ({ device: hex('deviceField 44'), cut: null }),
  exchange_status: () => exchange,
  relay_connect: () => { exchange.relay_state = 'connected'; },
  relay_disconnect: () => { exchange.relay_url = null; exchange.relay_state = 'off'; },
  sync_relay: () => ({ received: { records: 1, entries: 3 }, sent: { records: 1, entries: 4 }, refused: [], bytes: { in: 4096, out: 8192 } }),
  sync_peer: () => { throw error('network', 'Nobody answered at this address.', 'Nothing was lost; your entries wait. Check the address on the other screen, or write a parcel.'); },
  lan_serve: ({ address }) => { exchange.lan_address = String(address); },
  lan_stop: () => { exchange.lan_address = null; },
  parcel_write: () => ({ received: { records: 0, entries: 0 }, sent: { records: 3, entries: 14 }, refused: [], size: 48_213 }),
  parcel_read: () => ({ received: { records: 1, entries: 3 }, sent: { records: 0, entries: 0 }, refused: [], size: 48_213 }),
  choose_file: () => '/media/stick/chosen',
  opened_file: () => {
    const first = opened;
    opened = null;
    return first;
  },
  notify: () => {},
  dossier_read: ({ path, out }) => verdict(String(path), (out ?? null) as string | null),
  station_import: ({ path }) => {
    if (!String(path).endsWith('.csv')) throw error('usage', 'the table has no column "code"', 'Nothing was changed. Give the columns names in the first row.');
    return { created: 11_402, updated: 3, same: 17, refused: 2, skipped: [{ row: 96, reason: 'no name' }, { row: 4_210, reason: 'the latitude 481.2 is none' }], total: 11_422, day: null };
  },
  settings_get: ({ name }) => settings.get(String(name)) ?? null,
  tiles_read: ({ offset, length }) => {
    if (!settings.get('tiles')?.endsWith('.pmtiles')) throw error('usage', 'this file is no PMTiles archive', 'Nothing was changed. Check the path.');
    const file = (town ??= groundFile(placed(rows)));
    return file.slice(Number(offset), Number(offset) + Number(length));
  },
  settings_put: ({ name, value }) => { settings.set(String(name), String(value)); },
  exercise_play: () => { setTimeout(() => void emit('exercise', { task: 'play', done: 41, total: 232 }), 50); },
  exercise_stop: () => { void emit('exercise-ended', { name: 'Night', logged: 41, noted: 2, total: 232, stopped: true }); },
};

/** The file that the window was opened with. */
let opened: string | null = null;

/** Puts the paper desk in place of the real one; `?vault=locked` and the like choose where it stands. */
export function installMock() {
  const wanted = new URLSearchParams(location.search);
  opened = wanted.get('opened');
  const state = wanted.get('vault') as T.VaultStatus['state'] | null;
  if (state) vault = { ...vault, state };
  if (state === 'locked') localStorage.setItem('before', JSON.stringify({ operation: vault.operation, device: vault.device, last: vault.last_sync }));
  if (wanted.get('exercise')) vault = { ...vault, exercise: true };
  if (wanted.get('network') === 'none') Object.assign(exchange, { relay_url: null, relay_state: 'off', waiting: 3 });
  // The clock on the wall starts at the night's hour and runs on from there.
  if (!wanted.get('live')) {
    const shift = NIGHT - Date.now();
    const real = Date.now.bind(Date);
    Date.now = wanted.get('still') ? () => NIGHT : () => real() + shift;
  }
  // For tests: how many answers are still out, and a chance to spoil an answer on its way.
  const hooks = globalThis as { deskPending?: number; spoil?: (command: string, reply: unknown, args: unknown) => unknown };
  hooks.deskPending = 0;
  mockIPC(async (command, args) => {
    const run = commands[command];
    if (!run) throw error('window', `${command} is no command of the desk`, 'This is a fault of the window.');
    hooks.deskPending = (hooks.deskPending ?? 0) + 1;
    try {
      await Promise.resolve();
      const reply = structuredClone(run((args ?? {}) as Record<string, unknown>)) ?? null;
      return hooks.spoil ? hooks.spoil(command, reply, args) : reply;
    } finally {
      hooks.deskPending -= 1;
    }
  }, { shouldMockEvents: true });
}
