/** The server's event stream: reconnects by itself, knows how old its news is, and keeps the city's clock. */

import { api, eventsUrl, type DecisionSummary, type Live } from './api'

export type Link = 'waiting' | 'live' | 'cut'
const PATIENCE_S = 15 // shortest silence that counts as cut off
const RETRY_MS = 2000

export class Stream {
  link: Link = 'waiting'
  onLive: (live: Live) => void = () => {}
  onDecision: (decision: DecisionSummary) => void = () => {}
  onLink: (link: Link) => void = () => {}
  private source: EventSource | null = null
  private heardAt = 0 // wall clock, ms
  private usualGapS = 2
  private cityAt = Date.now()
  private speed = 1

  start(): void {
    addEventListener('offline', () => this.lost())
    addEventListener('online', () => this.open())
    setInterval(() => {
      if (this.link === 'live' && this.ageS() > Math.max(PATIENCE_S, 4 * this.usualGapS)) this.lost()
    }, 1000)
    this.open()
  }

  /** Wall seconds since the last picture came. */
  ageS(): number {
    return this.heardAt ? (Date.now() - this.heardAt) / 1000 : 0
  }

  /** The city's time now, ms: the last picture's, moved on at the city's speed. */
  now(): number {
    return this.heardAt ? this.cityAt + (Date.now() - this.heardAt) * this.speed : this.cityAt
  }

  private open(): void {
    this.source?.close()
    void api.health().then(({ speed }) => (this.speed = speed), () => {})
    const source = new EventSource(eventsUrl())
    this.source = source
    source.addEventListener('live', (event) => this.heard(JSON.parse((event as MessageEvent<string>).data) as Live))
    source.addEventListener('decision', (event) => this.onDecision(JSON.parse((event as MessageEvent<string>).data) as DecisionSummary))
    source.onerror = () => this.lost()
  }

  private heard(live: Live): void {
    if (this.heardAt && this.link === 'live') this.usualGapS = 0.8 * this.usualGapS + 0.2 * this.ageS()
    this.heardAt = Date.now()
    this.cityAt = Date.parse(live.at)
    this.become('live')
    this.onLive(live)
  }

  private lost(): void {
    if (!this.source) return
    this.source.close()
    this.source = null
    this.become('cut')
    void api.me().catch(() => {}) // where the session has ended, this is what finds out
    setTimeout(() => { if (!this.source) this.open() }, RETRY_MS)
  }

  private become(link: Link): void {
    if (this.link === link) return
    this.link = link
    this.onLink(link)
  }
}
