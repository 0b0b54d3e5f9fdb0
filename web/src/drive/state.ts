/** What the driver's page remembers while it is open: the answers given, and a held bay over a reload. */

import type { City, Current, Decision, Route, Sort } from '../shared/api'
import type { ReservationDetail } from '../shared/queue'

export interface Answers { lon: number; lat: number; soc: number; modelId: string; stayMin: number; current: Current; sort: Sort }
/** `kept`: changes that the driver has been told of, and keeps the place all the same. */
export interface Held { reservation: ReservationDetail; route: Route; decision: Decision; kept?: string[] }

const ANSWERS = 'chargeloop-answers', HELD = 'chargeloop-held'

export function firstAnswers(city: City): Answers {
  const remembered = read<Answers>(localStorage, ANSWERS)
  const [west, south, east, north] = city.bounds
  const lons = city.stations.map(({ lon }) => lon).sort((a, b) => a - b), lats = city.stations.map(({ lat }) => lat).sort((a, b) => a - b)
  const middle = Math.floor(lons.length / 2)
  const usual = city.models.find(({ model_id }) => model_id.startsWith('sedan')) ?? city.models[0]
  const fresh: Answers = { lon: lons[middle] ?? (west + east) / 2, lat: lats[middle] ?? (south + north) / 2, soc: 0.3, modelId: usual?.model_id ?? '', stayMin: 120, current: 'DC', sort: 'soonest' }
  if (!remembered) return fresh
  const inside = remembered.lon >= west - 0.1 && remembered.lon <= east + 0.1 && remembered.lat >= south - 0.1 && remembered.lat <= north + 0.1
  const knows = city.models.some(({ model_id }) => model_id === remembered.modelId)
  return { ...fresh, ...remembered, ...(inside ? {} : { lon: fresh.lon, lat: fresh.lat }), ...(knows ? {} : { modelId: fresh.modelId }) }
}

export const rememberAnswers = (answers: Answers) => localStorage.setItem(ANSWERS, JSON.stringify(answers))
export const heldBefore = () => read<Held>(sessionStorage, HELD)
export const rememberHeld = (held: Held | null) => (held ? sessionStorage.setItem(HELD, JSON.stringify(held)) : sessionStorage.removeItem(HELD))

function read<T>(from: Storage, key: string): T | null {
  try {
    return JSON.parse(from.getItem(key) ?? 'null') as T | null
  } catch {
    return null
  }
}
