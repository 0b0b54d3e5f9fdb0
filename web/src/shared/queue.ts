/** The virtual queue's shapes (as in src/chargeloop/api/queue.py) and the calls the pages make. */

import { call, type Current, type Offer, type Reservation, type Reserved } from './api'

export type Loss = 'fault' | 'taken' | 'charger'
export interface Better { decision_id: string; offer: Offer }
export interface Afterwards {
  session_id: string; promised_wait_min: number | null; wait_min: number | null; promised_amount: string | null; amount: string | null
  energy_kwh: number; ended_at: string | null; notes: string[]
  lines: { dimension: string; quantity: string; unit_price: string; amount: string }[]
}
export interface ReservationDetail extends Reservation {
  arrive_at: string | null; answer_by: string | null; snoozes: number; rests_until: string | null; lost: Loss | null; lost_evse_id: string | null
  place: number | null; in_line: number | null; start_at: string | null; snoozes_left: number | null; better: Better | null; afterwards: Afterwards | null
}
export interface QueuePolicy { answer_s: number; snoozes: number; snooze_s: number; plug_in_s: number; near_s: number; keep_s: number }
export interface QueuedDriver {
  reservation_id: number; station_id: string; current: Current | null; tier: string; phase: 'waiting' | 'resting' | 'offered' | 'held'
  place: number | null; evse_id: string | null; since: string; arrive_at: string | null; until: string; snoozes: number; no_shows_before: number
}
export interface Waits { drivers: number; mean_min: number | null; p95_min: number | null; no_shows: number }
export interface StationQueue extends Waits { station_id: string; waiting: number; offered: number; held: number }
export interface QueuePicture {
  at: string; waiting: number; offered: number; held: number; joined_today: number; today: Waits; ended: Record<string, number>
  stations: StationQueue[]; drivers: QueuedDriver[]; policy: QueuePolicy
}

export const queueApi = {
  reservation: (id: number) => call<ReservationDetail>('reservations/' + id),
  answer: (id: number, answer: 'accept' | 'snooze' | 'decline') => call<ReservationDetail>(`reservations/${id}/answer`, 'POST', { answer }),
  arrived: (id: number) => call<ReservationDetail>(`reservations/${id}/arrived`, 'POST'),
  move: (id: number, decisionId: string, stationId: string) => call<Reserved>(`reservations/${id}/move`, 'POST', { decision_id: decisionId, station_id: stationId }),
  picture: () => call<QueuePicture>('queue'),
  setPolicy: (policy: QueuePolicy) => call<QueuePolicy>('queue/policy', 'PUT', policy),
}
