// One of each, so that every mark and every row is seen beside its neighbours.
import type { EntryRow, ExhibitRow, IncidentShow, ReferralItem } from '../desk/types';

const at = (time: string) => `2026-10-04T${time}+02:00`;
export const statuses = ['witnessed', 'valid', 'waiting', 'not-authorised', 'rejected', 'quarantined', 'of-a-newer-version'];
const reasons: Record<string, string> = { quarantined: 'two entries carry number 12', rejected: 'the signature does not hold', 'not-authorised': 'Field 31 was revoked at 21:10' };

const entries: EntryRow[] = statuses.map((status, number) => ({
  id: `entry-${status}`, envelope: String(number).repeat(64), action: number % 2 === 0 ? 'note' : 'amend', text: `An entry that is ${status}`, set: {}, to: null, code: null, given: null,
  agency: 'emb', device: 'Field 12', operator: number % 3 === 0 ? 'P. Officer' : 'ليلى حداد', recorded_at: at(`20:4${number}:07`), clock: number % 2 === 0 ? 'os-synced' : 'suspect',
  number: number + 9, status, reason: reasons[status] ?? null, why: null,
}));
export const shown: IncidentShow = {
  id: 'sample', reference: 'EMB-0421-0007', owner: 'emb', state: 'new', fields: { summary: 'Ballot box destroyed with acid' }, disputes: {}, entries, referrals: [], exhibits: [],
  links: [], reporter: null, audience: ['emb'], audience_sentence: '', gaps: [], digest: 'c0ffee'.repeat(10),
};
const step = (state: string, time: string) => ({ state, agency: 'police', operator: 'Insp. Marchand', at: at(time) });
export const referrals: ReferralItem[] = ['seen', 'accepted', 'declined', 'done', 'disputed', 'returned', 'recalled', 'closed'].map((state, n) => ({
  id: `referral-${state}`, record: 'EMB-0421-0007', summary: 'Ballot box destroyed with acid', from: 'police', to: 'emb', ask: 'respond', state, respond_by: n === 0 ? at('21:13:00') : null, overdue: n === 0,
  reason: state === 'declined' ? 'No patrol within forty minutes; the gendarmerie is nearer.' : null, offered_at: at('20:42:10'), steps: [step('offered', '20:42:10'), step(state, '20:44:51')],
}));
export const exhibits: ExhibitRow[] = [true, false].map((here) => ({
  id: `exhibit-${here}`, name: 'IMG_2041.jpg', description: here ? 'Photo from the doorway' : 'Film of the corridor camera, 19:50 to 20:45, as handed over by the caretaker', size: here ? 2_418_337 : 812_004_113,
  sha256: '9f41c07a'.repeat(8), holder: 'emb', here, custody: [`collected ${at('20:41:40')} by Field 12`, `handed over ${at('21:02:00')} to K2 desk`],
}));
export const disputed = [
  { value: 3, agency: 'emb', operator: 'Duty Officer', at: at('21:02:10'), entry: 'a' }, { value: 1, agency: 'cert', operator: 'A. Okafor', at: at('21:02:12'), entry: 'b' },
];
