// The window's side of the desk: one function per command.
import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type * as T from './types';

export const desk = {
  status: () => invoke<T.VaultStatus>('vault_status'),
  unlock: (passphrase: string) => invoke<T.VaultStatus>('unlock', { passphrase }),
  start: (input: Record<string, string | boolean>) => invoke<unknown>('start_operation', { input }),
  requestAgency: (input: Record<string, string>) => invoke<unknown>('request_agency', { input }),
  requestDevice: (input: Record<string, string | string[]>) => invoke<unknown>('request_device', { input }),
  join: (path: string) => invoke<unknown>('join_operation', { path }),
  board: (query: T.BoardQuery) => invoke<T.BoardPage>('board', { query }),
  /** The whole view, not a page of it. */
  map: (query: Omit<T.BoardQuery, 'limit' | 'offset'>) => invoke<T.MapPage>('map', { query: { ...query, limit: 0, offset: 0 } }),
  show: (reference: string, as_of?: string) => invoke<T.IncidentShow>('incident_show', { reference, asOf: as_of }),
  opened: (reference: string) => invoke<void>('incident_opened', { reference }),
  log: (input: T.LogIncident) => invoke<T.Logged>('incident_log', { input }),
  draft: () => invoke<T.LogDraft | null>('draft_get'),
  keepDraft: (form: Record<string, string>) => invoke<T.LogDraft>('draft_put', { form }),
  dropDraft: () => invoke<void>('draft_clear'),
  note: (reference: string, text: string) => invoke<unknown>('incident_note', { reference, text }),
  amend: (reference: string, set: Record<string, string>, settles = false) =>
    invoke<unknown>('incident_amend', { reference, set, settles }),
  move: (reference: string, state: string, reason?: string) =>
    invoke<unknown>('incident_state', { reference, state, reason }),
  assign: (reference: string, to: string) => invoke<unknown>('incident_assign', { reference, to }),
  likely: (reference: string) => invoke<T.LikelyList>('incident_likely', { reference }),
  duplicate: (reference: string, of: string) => invoke<unknown>('incident_duplicate', { reference, of, undo: false }),
  notDuplicate: (reference: string) => invoke<unknown>('incident_duplicate', { reference, of: null, undo: true }),
  audience: (reference: string, list: string[]) =>
    invoke<T.AudienceReport>('audience_preview', { reference, with: list }),
  share: (reference: string, list: string[]) => invoke<T.AudienceReport>('share', { reference, with: list }),
  refer: (reference: string, to: string, ask: string, respond_by: string) =>
    invoke<unknown>('refer', { reference, to, ask, respondBy: respond_by }),
  referrals: (inbox: boolean) => invoke<T.ReferralList>('referral_list', { inbox }),
  answer: (id: string, step: string, reason?: string) => invoke<unknown>('referral_answer', { id, step, reason }),
  // The bytes go as they are; what describes them goes in headers, which hold ASCII only.
  addExhibit: (reference: string, name: string, description: string, bytes: Uint8Array) =>
    invoke<T.ExhibitReport>('exhibit_add', bytes, {
      headers: { reference: encodeURIComponent(reference), name: encodeURIComponent(name), description: encodeURIComponent(description) },
    }),
  reports: () => invoke<T.ReportList>('report_list'),
  report: (reference: string) => invoke<T.ReportShow>('report_show', { reference }),
  startReport: (input: T.ReportStart) => invoke<T.ReportShow>('report_start', { input }),
  /** `base` names the text that was on screen. */
  writeReport: (reference: string, section: string, base: string[], text: string) =>
    invoke<T.ReportWritten>('report_write', { reference, section, base, text }),
  signReport: (reference: string, capacity: string, bases: Record<string, string[]>) =>
    invoke<unknown>('report_sign', { reference, capacity, bases }),
  activity: (from: string, to: string) => invoke<T.ActivityList>('activity', { from, to }),
  stations: (query: T.StationQuery) => invoke<T.StationPage>('station_list', { query }),
  silent: (query: T.SilentQuery) => invoke<T.SilentPage>('station_silent', { query }),
  roster: () => invoke<T.RosterShow>('roster_show'),
  reach: (device: string, limit: number, offset = 0) => invoke<T.ReachReport>('device_reach', { device, limit, offset }),
  lookAtRevoking: (device: string, cut: { since?: string; last_good?: number }) =>
    invoke<T.RevokeLook>('revoke_look', { device, lastGood: cut.last_good, since: cut.since }),
  askApproval: (device: string, reason: string, last_good: number, out: string) =>
    invoke<T.DeviceReport>('revoke_ask', { device, reason, lastGood: last_good, out }),
  revoke: (device: string, reason: string, last_good: number, second: string | null) =>
    invoke<T.DeviceReport>('revoke_device', { device, reason, lastGood: last_good, second }),
  lookAtApproval: (path: string) => invoke<T.ApprovalLook>('approval_look', { path }),
  approve: (device: string, last_good: number, out: string) =>
    invoke<T.DeviceReport>('approval_write', { device, lastGood: last_good, out }),
  lookAtRequest: (path: string) => invoke<T.RequestLook>('enrol_look', { path }),
  enrol: (path: string, out: string) => invoke<T.DeviceReport>('enrol', { path, out }),
  exchange: () => invoke<T.ExchangeStatus>('exchange_status'),
  connectRelay: (url: string) => invoke<void>('relay_connect', { url }),
  disconnectRelay: () => invoke<void>('relay_disconnect'),
  syncRelay: (url: string) => invoke<T.SyncReport>('sync_relay', { url }),
  syncPeer: (address: string) => invoke<T.SyncReport>('sync_peer', { address }),
  serve: (address: string) => invoke<void>('lan_serve', { address }),
  stopServing: () => invoke<void>('lan_stop'),
  writeParcel: (to: string, path: string) => invoke<T.ParcelReport>('parcel_write', { to, path }),
  readParcel: (path: string) => invoke<T.ParcelReport>('parcel_read', { path }),
  /** Asks by the system's own dialog; nothing where the person changed their mind. */
  chooseFile: (wanted: { save: boolean; title: string; name?: string; extension?: string }) => invoke<string | null>('choose_file', { wanted }),
  /** The file that the window was opened with, once. */
  openedFile: () => invoke<string | null>('opened_file'),
  onOpened: (then: () => void) => listen<null>('opened', then),
  notify: (text: string) => invoke<void>('notify', { text }),
  readDossier: (path: string, out: string | null, trust: string | null) => invoke<T.VerdictReport>('dossier_read', { path, out, trust }),
  importStations: (path: string, day: string | null) => invoke<T.StationImport>('station_import', { path, day }),
  onStations: (then: (at: T.Progress) => void) => listen<T.Progress>('stations', (event) => then(event.payload)),
  setting: (name: string) => invoke<string | null>('settings_get', { name }),
  keepSetting: (name: string, value: string) => invoke<void>('settings_put', { name, value }),
  /** Plays the scripted night; only in an exercise. */
  playNight: (speed: number, anew: boolean) => invoke<null>('exercise_play', { speed, anew }),
  stopNight: () => invoke<null>('exercise_stop'),
  onNight: (then: (at: T.Progress) => void) => listen<T.Progress>('exercise', (event) => then(event.payload)),
  onNightEnded: (then: (played: T.PlayReport) => void) => listen<T.PlayReport>('exercise-ended', (event) => then(event.payload)),
  onNightFailed: (then: (error: T.ErrorReport) => void) => listen<T.ErrorReport>('exercise-failed', (event) => then(event.payload)),
  /** A piece of the map file that the setting `tiles` names. */
  tiles: (offset: number, length: number) => invoke<ArrayBuffer>('tiles_read', { offset, length }),
  onChanged: (then: (records: string[]) => void) =>
    listen<{ records: string[] }>('changed', (event) => then(event.payload.records)),
  onExchange: (then: () => void) => listen('exchange', () => then()),
};

/** What a rejected command says; anything else is said as it is. */
export function problem(error: unknown): T.ErrorReport {
  if (typeof error === 'object' && error !== null && 'message' in error && 'advice' in error) {
    return error as T.ErrorReport;
  }
  return { code: 'window', message: String(error), advice: '' };
}
