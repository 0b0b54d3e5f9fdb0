/** The list of chargers, kept fresh while somebody looks at it. */

import { wrong } from '../../shared/wrong'
import { fleetApi, type Charger } from './api'

const RENEW_MS = 5000

export class Fleet {
  chargers: Charger[] | null = null // null: not asked yet
  problem = ''
  private readonly listeners = new Set<() => void>()
  private timer = 0

  /** Hear of each renewed list, at once where there is one already; returns how to stop. */
  watch(hear: () => void): () => void {
    this.listeners.add(hear)
    if (this.chargers) hear()
    if (this.listeners.size === 1) void this.renew()
    return () => {
      this.listeners.delete(hear)
      if (!this.listeners.size) clearTimeout(this.timer)
    }
  }

  async renew(): Promise<void> {
    clearTimeout(this.timer)
    try {
      if (!document.hidden || !this.chargers) this.chargers = await fleetApi.chargers()
      this.problem = ''
    } catch (error) {
      this.problem = wrong(error)
    }
    for (const hear of this.listeners) hear()
    clearTimeout(this.timer)
    if (this.listeners.size) this.timer = setTimeout(() => void this.renew(), RENEW_MS)
  }
}

export const fleet = new Fleet()
