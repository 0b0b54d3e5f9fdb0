/** Shapes of the outlook and of forecasts' scores (as in src/chargeloop/api/outlook_shapes.py), and their calls. */

import { call } from './api'

export interface Peak { unit_id: string; at: string; chance: number; q10_kwh: number; q50_kwh: number; q90_kwh: number; hours: number }
export interface Shortage { shortage_id: string; zone_id: string; begin: string; end: string; bays: number; needed: number; more_bays: number; probability: number }
export type Habit = 'level' | 'peak_hour' | 'rest_share'
export interface Trend { unit_id: string; habit: Habit; change: number; p: number; significant: boolean; days: number }
export interface Feed { unit: 'zone' | 'station'; unit_id: string; since: string; value_kwh: number | null }
export interface Outlook {
  origin: string; districts: Record<string, string[]>; peaks: Peak[]; shortages: { shortage: Shortage; told: boolean }[]
  trends: Trend[]; trends_asked: number; stopped: Feed[]
}
export interface Drift { is_there: boolean | null; recent: number | null; before: number | null; p: number | null }
export type Level = 'zone' | 'district' | 'city'
export interface Score {
  level: Level; horizon_h: number; hours: number; units: number; mae_kwh: number; mean_kwh: number; pinball_kwh: number; coverage: number
  relative: number; naive: number | null; drift: Drift
}
export interface Scores { since: string; until: string; records: Score[]; newest: { origin: string; made_at: string }[] }
export interface Past { made_at: string; origin: string; unit_id: string; hours: string[]; q10: number[]; q50: number[]; q90: number[]; came: (number | null)[] }

const id = encodeURIComponent
export const outlookApi = {
  outlook: () => call<Outlook>('outlook'),
  scores: (from: string) => call<Scores>('forecasts?from=' + id(from)),
  past: (origin: string, unit = 'city') => call<Past>(`forecasts/${id(origin)}?unit=${id(unit)}`),
}
