/** The HTTP API's shapes (as in src/chargeloop/api/shapes.py) and the calls the pages make. Times are ISO strings, amounts decimal strings. */

export type Current = 'AC' | 'DC'
export type Sort = 'soonest' | 'cheapest' | 'nearest'

export interface Health { now: string; speed: number; last_event_age_s: number | null; version: string }
export interface Zone { zone_id: string; lon: number; lat: number; radius_m: number; land_use: string }
export interface Station {
  station_id: string; name: string; operator_id: string; zone_id: string; lon: number; lat: number; site_type: string
  ac_bays: number; dc_bays: number; power_kw: number; tariff_id: string; ocpp_bays: number
}
export interface VehicleModel { model_id: string; name: string; battery_kwh: number; ac_kw: number; dc_kw: number }
export interface City {
  name: string; note: string; time_zone: string; bounds: [number, number, number, number]
  zones: Zone[]; stations: Station[]; models: VehicleModel[]
}
export interface Kpis {
  bays: number; busy_bays: number; load_kw: number; limit_kw: number
  drivers_waiting: number; waiting_30: number; waiting_60: number
  requests_today: number; sessions_today: number; energy_kwh_today: number; amount_today: string; kg_co2_today: number
  minutes_saved_today: number; served_share: number | null; mean_wait_min: number | null
}
export interface LiveStations {
  free: number[]; busy: number[]; queue: number[]; inbound: number[]; out_of_order: number[]
  wait_ac_min: (number | null)[]; wait_dc_min: (number | null)[]; power_kw: number[]
}
export interface Live { at: string; stations: LiveStations; kpis: Kpis; moving: number }
export interface Pool {
  current: Current; bays: number; free: number; queue: number; inbound: number
  wait_now_min: number | null; wait_30_min: number | null; wait_60_min: number | null; wait_bands_min: [number | null, number | null][]
}
export interface BaySession {
  session_id: string; id_token: string; started_at: string; energy_kwh: number; needed_kwh: number | null
  depart_by: string | null; charge_ended: boolean; plan_start: string | null; plan_step_s: number; plan_kw: number[]
}
export interface Bay {
  evse_id: string; current: Current; power_kw: number; status: string; ocpp: boolean; connected: boolean
  power_now_kw: number; limit_kw: number | null; reserved_until: string | null; session: BaySession | null
}
export interface HourPrice { hour: number; energy: string; service: string }
export interface Session {
  session_id: string; evse_id: string; station_id: string; id_token: string; started_at: string; energy_kwh: number
  charge_ended_at: string | null; ended_at: string | null; request_id: string | null; stop_reason: string | null
}
export interface DecisionSummary {
  decision_id: string; request_id: string; at: string; station_id: string | null; total_min: number | null
  drive_min: number | null; wait_min: number | null; charge_min: number | null; amount: string | null; why: string
}
export interface StationDetail {
  at: string; station: Station; load_kw: number; limit_kw: number; pools: Pool[]; bays: Bay[]; prices: HourPrice[]
  recent: Session[]; decisions: DecisionSummary[]
}
export interface Forecast {
  origin: string; hours: string[]; zone_ids: string[]; q10: number[][]; q50: number[][]; q90: number[][]
  total: { q10: number[]; q50: number[]; q90: number[] }
}
export interface Circuit {
  circuit_id: string; kind: string; parent_id: string | null; limit_kw: number; load_kw: number; base_kw: number
  planned_kw: number; shadow_price: number
}
export interface Energy { at: string; circuits: Circuit[] }
export interface Offer {
  station_id: string; current: Current; drive_min: number; drive_km: number; wait_min: number; wait_p90_min: number
  charge_min: number; energy_kwh: number; arrival_soc: number; amount: string; score: number
  terms: Record<string, number>; kg_co2: number; why_not?: string; against?: string
}
export interface ChargeRequest {
  request_id: string; at: string; place: { lon: number; lat: number }; model_id: string; tier: string; current: Current
  soc: number; target_soc: number; battery_kwh: number; depart_by: string; sort?: Sort
}
export interface Decision {
  decision_id: string; request_id: string; at: string; solver: string; chosen: Offer | null; offers: Offer[]; why: string
  request: ChargeRequest | null
  certificate?: { requests: number; objective: number; bound: number } | null
}
export type Came = 'kept' | 'elsewhere' | 'gave_up'
export interface DecisionDetail {
  decision: Decision; outcome: { realised_wait_min: number | null; realised_amount: string | null } | null; can_replay: boolean
  taken: { station_id: string; wait_min: number; wait_p90_min: number; amount: string; came: Came | null } | null
}
export interface Standing {
  group: string; made: number; kept: number; elsewhere: number; gave_up: number; open: number; waits: number; waits_promised: number
  promised_wait_min: number | null; realised_wait_min: number | null; wait_error_min: number | null; wait_error_p95_min: number | null
  within_p90: number | null; within_p90_where_any: number | null
  promised_amount: string | null; realised_amount: string | null; amount_same: number | null
}
export interface CalibrationBin { low_min: number; high_min: number | null; waits: number; promised_p90_min: number; realised_p90_min: number; within: number }
export interface Promises { by: 'station' | 'operator'; since: string; until: string; total: Standing; rows: Standing[]; calibration: CalibrationBin[] }
export interface PromisedDecision {
  decision_id: string; at: string; station_id: string; came: Came | null; wait_min: number; wait_p90_min: number
  realised_wait_min: number | null; amount: string; realised_amount: string | null
}
export interface Change { weights: Record<string, number | string>; outages: string[] }
export interface Replayed { then: Decision; now: Decision; exact: boolean; requests: number; moved: number }
export interface RecommendIn {
  lon: number; lat: number; soc: number; model_id: string; target_soc: number; stay_min: number; current: Current; sort: Sort
}
export interface Recommendation { decision: Decision; not_now: { advised: boolean; cheaper_from: string | null; saves: string; saves_min: number } }
export interface Reservation {
  reservation_id: number; evse_id: string | null; station_id: string; made_at: string; expires_at: string
  state: 'held' | 'used' | 'cancelled' | 'expired' | 'declined' | 'unanswered' | 'no_show' | 'moved'
}
export interface Route {
  type: 'Feature'; geometry: { type: 'LineString'; coordinates: [number, number][] }
  properties: { seconds: number; metres: number; energy_kwh: number; on_roads: boolean }
}
export interface Reserved { reservation: Reservation; evse_id: string | null; route: Route }

/** Who is asking, and what they may do ("chargers", "command", "adopt", "audit", "accounts", ...). */
export interface Me { name: string; roles: string[]; may: string[] }

/** An answer that is not 2xx, or none at all (`status` 0: no connection). */
export class Problem extends Error {
  constructor(readonly status: number, readonly detail: string) { super(detail) }
}

// A guarded server is opened once with ?token=...; the token then lives as long as the tab.
const given = new URLSearchParams(location.search).get('token')
if (given) sessionStorage.setItem('chargeloop-token', given)
const token = sessionStorage.getItem('chargeloop-token')

/** Address of an event stream; EventSource can send no header, so a token goes into the query. */
export const eventsUrl = (path = 'events') => `api/v1/${path}${token ? '?token=' + encodeURIComponent(token) : ''}`

/** What to do when the server no longer knows who is asking. */
export const session = { onExpired: () => {} }

export async function call<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
  const headers: Record<string, string> = {}
  if (token) headers['Authorization'] = 'Bearer ' + token
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  let answer: Response
  try {
    answer = await fetch('api/v1/' + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) })
  } catch {
    throw new Problem(0, '')
  }
  if (!answer.ok) {
    const problem = (await answer.json().catch(() => ({}))) as { detail?: string }
    if (answer.status === 401 && path !== 'login') session.onExpired()
    throw new Problem(answer.status, problem.detail ?? answer.statusText)
  }
  return (answer.status === 204 ? undefined : await answer.json()) as T
}

const id = encodeURIComponent

export const api = {
  me: () => call<Me>('me'),
  login: (name: string, password: string) => call<Me>('login', 'POST', { name, password }),
  logout: () => { sessionStorage.removeItem('chargeloop-token'); return call<void>('logout', 'POST') },
  health: () => call<Health>('health'),
  city: () => call<City>('city'),
  roads: () => call<GeoJSON.FeatureCollection>('roads'),
  live: () => call<Live>('live'),
  station: (stationId: string) => call<StationDetail>('stations/' + id(stationId)),
  forecast: () => call<Forecast>('forecast?hours=24'),
  energy: () => call<Energy>('energy'),
  decisions: (limit: number) => call<DecisionSummary[]>('decisions?limit=' + limit),
  decision: (decisionId: string) => call<DecisionDetail>('decisions/' + id(decisionId)),
  promises: (by: string, from: string, group = '') => call<Promises>(`promises?by=${by}&from=${id(from)}${group ? '&group=' + id(group) : ''}`),
  promisedDecisions: (by: string, group: string, from: string) => call<PromisedDecision[]>(`promises/decisions?by=${by}&group=${id(group)}&from=${id(from)}`),
  replay: (decisionId: string, change: Change) => call<Replayed>(`decisions/${id(decisionId)}/replay`, 'POST', change),
  route: (decisionId: string, stationId: string) => call<Route>(`route?decision_id=${id(decisionId)}&station_id=${id(stationId)}`),
  recommend: (asked: RecommendIn) => call<Recommendation>('recommend', 'POST', asked),
  reserve: (decisionId: string, stationId: string) =>
    call<Reserved>('reservations', 'POST', { decision_id: decisionId, station_id: stationId }),
  reservation: (reservationId: number) => call<Reservation>('reservations/' + reservationId),
  cancel: (reservationId: number) => call<void>('reservations/' + reservationId, 'DELETE'),
}

/** `wanted()`, again and again while the server is starting or away; other problems are thrown. */
export async function patiently<T>(wanted: () => Promise<T>, onWait: (problem: Problem) => void): Promise<T> {
  for (;;) {
    try {
      return await wanted()
    } catch (error) {
      if (!(error instanceof Problem) || ![0, 502, 503, 504].includes(error.status)) throw error
      onWait(error)
      await new Promise((done) => setTimeout(done, 2000))
    }
  }
}
