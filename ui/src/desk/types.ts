// The types that cross between desk and window, by hand; types.test.ts compares them with
// schemas/desk/all.json, which is generated from crates/desk/src/wire.rs.

export type FieldValue = number | string | string[];
export interface ErrorReport { code: string; message: string; advice: string }
export interface VaultStatus {
  state: 'first-run' | 'waiting' | 'locked' | 'open';
  operation: string | null; exercise: boolean; agency: string | null; agency_name: string | null;
  device: string | null; device_id: string | null; operator: string | null; roles: string[]; last_sync: string | null; emergency_number: string | null;
}
export interface RowReferral { to: string; state: string; respond_by: string | null }
export interface BoardRow {
  id: string; reference: string; summary: string; category: string; severity: number; state: string; owner: string;
  disputed: string[]; station: string | null; place: string | null; domains: string[]; exhibits: number;
  recorded_at: string; last_at: string; referral: RowReferral | null; assigned: string | null; apart: boolean;
}
export interface Counts { new: number; open: number; critical: number; unanswered: number; overdue: number; mine: number; silent: number; silent_since: string | null }
export interface BoardQuery {
  view?: string; state?: string; category?: string; severity?: number; search?: string;
  since?: string; until?: string; references?: string[]; limit: number; offset: number;
}
export interface BoardPage { total: number; items: BoardRow[]; counts: Counts }
export interface LikelyRow { row: BoardRow; common: string[] }
export interface LikelyList { items: LikelyRow[] }
export interface MapPoint {
  id: string; reference: string; summary: string; severity: number; state: string; lat: number; lon: number; disputed: boolean; recorded_at: string;
}
export interface MapPage { total: number; placed: number; points: MapPoint[]; counts: Counts }
export interface DisputedValue { value: FieldValue; agency: string; operator: string; at: string; entry: string }
export interface EntryRow {
  id: string; envelope: string; action: string; text: string; set: Record<string, FieldValue>; to: string | null; code: string | null; given: string | null; agency: string; device: string; operator: string;
  recorded_at: string; clock: string; number: number; status: string; reason: string | null; why: string | null;
}
export interface ReferralStep { state: string; agency: string; operator: string; at: string }
export interface ReferralItem {
  id: string; record: string; summary: string; from: string; to: string; ask: string; state: string;
  respond_by: string | null; overdue: boolean; reason: string | null; offered_at: string; steps: ReferralStep[];
}
export interface ExhibitRow {
  id: string; name: string; description: string | null; size: number; sha256: string; holder: string; here: boolean; custody: string[];
}
export interface ReferralList { items: ReferralItem[] }
export interface ExhibitReport { exhibit: string; sha256: string; sha512: string; size: number }
export interface AudienceReport { audience: string[]; sentence: string }
export interface LinkRow { relation: string; id: string; reference: string }
export interface IncidentShow {
  id: string; reference: string; owner: string; state: string; fields: Record<string, FieldValue>;
  disputes: Record<string, DisputedValue[]>; entries: EntryRow[]; referrals: ReferralItem[]; exhibits: ExhibitRow[];
  links: LinkRow[]; reporter: string | null; audience: string[]; audience_sentence: string; gaps: string[]; digest: string;
}
export interface LogIncident {
  category: string; domains: string[]; summary: string; description?: string; station?: string; place?: string;
  occurred?: string; severity?: number; people?: string; services?: string; hazards?: string; lat?: number; lon?: number; tlp?: string;
  reporter?: string; channel?: string; source?: string; source_reliability?: string;
}
export interface Logged { id: string; reference: string; entry: string; recorded_at: string }
export interface LogDraft { form: Record<string, string>; kept_at: string }
export interface AgencyRow { id: string; kind: string; name: string; contested: boolean }
export interface DeviceRow {
  id: string; agency: string; name: string; operator: string; roles: string[]; status: string; reason: string | null;
  revoked_at: string | null; apart: number; last_contact: string | null; here: boolean;
}
export interface RosterShow {
  operation: string; operation_name: string; exercise: boolean; epoch: number; threshold: number;
  agencies: AgencyRow[]; devices: DeviceRow[];
}
export interface ReportStart { kind: string; from: string | null; to: string | null }
export interface ReportFigure { name: string; count: number; rows: string[] }
export interface ReportSection { name: string; text: string; base: string[]; writers: string[]; last_at: string | null }
export interface ReportSignature { capacity: string; operator: string; agency: string; device: string; at: string; current: boolean }
export interface ReportRow { id: string; reference: string; kind: string; from: string; to: string; owner: string; recorded_at: string; last_at: string }
export interface ReportList { items: ReportRow[] }
export interface ReportShow {
  row: ReportRow; figures: ReportFigure[]; sections: ReportSection[]; signatures: ReportSignature[]; audience: string[]; audience_sentence: string;
}
export interface ReportWritten { entry: string | null; section: ReportSection }
export interface ActivityRow { reference: string; action: string; text: string; operator: string; device: string; agency: string; recorded_at: string }
export interface ActivityList { total: number; items: ActivityRow[] }
export interface PlayReport { name: string; logged: number; noted: number; total: number; stopped: boolean }
export interface Progress { task: string; done: number; total: number }
export interface Moved { records: number; entries: number }
export interface Refusal { reason: string }
export interface Bytes { in: number; out: number }
export interface SyncReport { received: Moved; sent: Moved; refused: Refusal[]; bytes: Bytes }
export interface ParcelReport { received: Moved; sent: Moved; refused: Refusal[]; size: number }
export interface VerdictReport { dossier: string; verdict: string; as_of: string | null; lines: string[] }
export interface PeerRow { agency: string; name: string; last_contact: string | null; not_reached: number }
export interface ExchangeStatus {
  relay_url: string | null; relay_state: string; lan_address: string | null; endpoint: string | null;
  peers: PeerRow[]; waiting: number; refused: Refusal[];
}
export interface StationRow { code: string; name: string; area: string; lat: number | null; lon: number | null; expected_by: string }
export interface StationQuery { search?: string; limit: number; offset: number }
export interface StationPage { total: number; items: StationRow[] }
export interface SkippedRow { row: number; reason: string }
export interface StationImport {
  created: number; updated: number; same: number; refused: number; skipped: SkippedRow[]; total: number; day: string | null;
}
export interface SilentQuery { at?: string; limit: number; offset: number }
export interface SilentRow { station: StationRow; expected: string; since: string; missed: number; last_at: string | null }
export interface SilentPage { stations: number; expected: number; total: number; since: string | null; items: SilentRow[] }
export interface DeviceReport { device: string; cut: number | null }
export interface RequestLook {
  device: string; agency: string; name: string; operator: string; roles: string[]; unit: string | null; agency_key: boolean; known: boolean;
}
export interface Approver { device: string; name: string; operator: string }
export interface RevokeLook {
  device: string; name: string; operator: string; known: number; known_at: string | null; cut: number; cut_at: string | null; apart: number; approvers: Approver[];
}
export interface ApprovalLook {
  device: string; name: string; operator: string; last_good: number; last_good_at: string | null; known: number; apart: number;
  reason: string; asked_by: string; asked_at: string;
}
export interface ReachOf { why: string; owner: string; records: number; exhibits: number }
export interface ReachRow { id: string; reference: string; summary: string; kind: string; owner: string; exhibits: number; recorded_at: string; why: string }
export interface WrittenRow { number: number; envelope: string; record: string | null; reference: string | null; at: string | null }
export interface ReachReport {
  device: string; name: string; agency: string; operator: string; roles: string[]; status: string; revoked_at: string | null; agency_key: boolean;
  total: number; exhibits: number; counted: ReachOf[]; items: ReachRow[]; later: number; absent: number;
  entries: number; last: WrittenRow | null; cut: number | null; apart: number; beyond: WrittenRow[];
}
