/** The shapes of the chargers', accounts' and audit part of the HTTP API, and the calls. Times are ISO strings. */

import { call } from '../../shared/api'

export const HEALTHS = ['fault', 'warning', 'offline', 'quarantined', 'ok'] as const // the worst first
export type Health = (typeof HEALTHS)[number]

export interface Charger {
  charger_id: string; state: 'adopted' | 'quarantined' | 'retired'; station_id: string | null; evse_ids: string[]
  version: string | null; vendor: string; model: string; serial: string; firmware: string; security_profile: number
  connected: boolean; connected_since: string | null; last_seen: string | null; address: string | null
  health: Health; problems: string[]; open_sessions: number
}
export interface Connector { evse_id: string; connector: number; status: string; info: string; at: string | null }
export interface Notice { action: string; text: string; at: string }
export interface ChargerDetail extends Charger {
  connectors: Connector[]; certificate_expires: string | null; first_seen: string
  firmware_status: Notice | null; diagnostics_status: Notice | null; notices: Notice[]
}
/** Where chargers connect to; `is_local`: only from this machine. */
export interface Entrance { port: number; tls_port: number | null; is_local: boolean }
export interface Message {
  frame_id: number; at: string; direction: 'in' | 'out'; kind: 'call' | 'result' | 'error' | 'send'
  action: string; message_id: string; body: string; flag: string | null
}
export interface Adoption { station_id: string; evse_ids: string[]; security_profile: number; set_password: boolean }
export interface Adopted { charger: Charger; password: string | null }
export interface Answer {
  audit_id: number; status: 'answered' | 'error' | 'timeout' | 'offline'
  payload: Record<string, unknown>; code: string; description: string
}
export interface ListSent {
  audit_id: number; status: 'sent' | 'up to date' | 'not supported' | 'refused' | 'offline'; version: number; entries: number; left_out: number
}
export interface Account { name: string; roles: string[]; disabled: boolean }
export interface AuditEntry {
  audit_id: number; at: string; account: string; charger_id: string | null; action: string; payload: unknown; outcome: string
}

const id = encodeURIComponent
const query = (values: Record<string, string | number | undefined>) =>
  new URLSearchParams(Object.entries(values).filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => [name, String(value)])).toString()

export const fleetApi = {
  entrance: () => call<Entrance>('entrance'),
  chargers: () => call<Charger[]>('chargers'),
  charger: (chargerId: string) => call<ChargerDetail>('chargers/' + id(chargerId)),
  messages: (chargerId: string, asked: { limit: number; before?: number; action?: string; text?: string }) =>
    call<Message[]>(`chargers/${id(chargerId)}/messages?${query(asked)}`),
  actions: (chargerId: string) => call<Record<string, object>>(`chargers/${id(chargerId)}/actions`),
  command: (chargerId: string, action: string, payload: unknown) =>
    call<Answer>(`chargers/${id(chargerId)}/commands`, 'POST', { action, payload }),
  adopt: (chargerId: string, adoption: Adoption) => call<Adopted>(`chargers/${id(chargerId)}/adopt`, 'POST', adoption),
  changePassword: (chargerId: string) => call<Answer>(`chargers/${id(chargerId)}/password`, 'POST'),
  sendList: (chargerId: string, full: boolean) => call<ListSent>(`chargers/${id(chargerId)}/local-list`, 'POST', { full }),
  retire: (chargerId: string) => call<Charger>(`chargers/${id(chargerId)}/retire`, 'POST'),
  accounts: () => call<Account[]>('accounts'),
  addAccount: (account: { name: string; password: string; roles: string[] }) => call<Account>('accounts', 'POST', account),
  changeAccount: (name: string, change: { roles?: string[]; password?: string; disabled?: boolean }) =>
    call<Account>('accounts/' + id(name), 'PATCH', change),
  removeAccount: (name: string) => call<void>('accounts/' + id(name), 'DELETE'),
  audit: (asked: { charger_id?: string; account?: string; limit: number }) => call<AuditEntry[]>('audit?' + query(asked)),
}
