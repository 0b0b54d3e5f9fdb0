/** The city's time, which runs faster than the wall clock in a demo. */

import { api } from '../shared/api'

let cityAt = Date.now(), wallAt = Date.now(), speed = 1

export async function setClock(): Promise<void> {
  const health = await api.health()
  ;[cityAt, wallAt, speed] = [Date.parse(health.now), Date.now(), health.speed]
}

export const cityNow = () => cityAt + (Date.now() - wallAt) * speed
