/** What the console knows: the city, the newest live picture, forecast and decisions; and who wants to hear of changes. */

import { api, type City, type DecisionSummary, type Forecast, type Live, type Me, type Station } from '../shared/api'
import { outlookApi, type Outlook } from '../shared/outlook'
import { Stream } from '../shared/stream'

type Topic = 'live' | 'decisions' | 'forecast' | 'link' | 'hour'
const KEPT = 40 // decisions in the list

export class State {
  readonly stream = new Stream()
  live: Live | null = null
  forecast: Forecast | null = null
  outlook: Outlook | null = null
  decisions: DecisionSummary[] = []
  hour = 0 // of the forecast shown on the map
  readonly station: ReadonlyMap<string, Station>
  readonly index: ReadonlyMap<string, number>
  private readonly listeners = new Map<Topic, Set<() => void>>()
  private forecastFor = ''

  constructor(readonly city: City, readonly me: Me) {
    this.station = new Map(city.stations.map((station) => [station.station_id, station]))
    this.index = new Map(city.stations.map((station, n) => [station.station_id, n]))
  }

  start(): void {
    this.stream.onLive = (live) => {
      this.live = live
      this.say('live')
      void this.renewForecast(live.at)
    }
    this.stream.onDecision = (decision) => this.add([decision])
    this.stream.onLink = () => {
      this.say('link')
      if (this.stream.link === 'live') void api.decisions(KEPT).then((found) => this.add(found), () => {})
    }
    this.stream.start()
  }

  /** Hear of a topic; returns how to stop. */
  on(topic: Topic, hear: () => void): () => void {
    const set = this.listeners.get(topic) ?? new Set()
    this.listeners.set(topic, set.add(hear))
    return () => set.delete(hear)
  }

  may(permission: string): boolean {
    return this.me.may.includes(permission)
  }

  setHour(hour: number): void {
    this.hour = hour
    this.say('hour')
  }

  nameOf(stationId: string | null): string {
    return (stationId && this.station.get(stationId)?.name) || stationId || ''
  }

  private add(found: DecisionSummary[]): void {
    const all = new Map([...found, ...this.decisions].map((each) => [each.decision_id, each]))
    this.decisions = [...all.values()].sort((a, b) => b.at.localeCompare(a.at)).slice(0, KEPT)
    this.say('decisions')
  }

  private async renewForecast(at: string): Promise<void> {
    const hour = at.slice(0, 13)
    if (hour === this.forecastFor) return
    this.forecastFor = hour
    try {
      ;[this.forecast, this.outlook] = await Promise.all([api.forecast(), outlookApi.outlook()])
      this.say('forecast')
    } catch {
      this.forecastFor = ''
    }
  }

  private say(topic: Topic): void {
    for (const hear of this.listeners.get(topic) ?? []) hear()
  }
}

/** A page or panel: what it shows, what to undo when it goes, what `/` puts the focus on, and where Esc leads. */
export interface View { element: HTMLElement; stop?: () => void; find?: () => void; up?: string }
