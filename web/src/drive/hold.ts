/** A reservation while it lasts, and its bill: asks the server how it stands, shows the card for it, does what is pressed. */

import { api, Problem, type City } from '../shared/api'
import { patch } from '../shared/dom'
import { queueApi, type ReservationDetail } from '../shared/queue'
import { words } from '../shared/words'
import { cityNow, setClock } from './clock'
import { changes, heldCard, type Doing } from './held'
import type { PlaceMap } from './place'
import { rememberHeld, type Held } from './state'

const TICK_MS = 1000
const LOOK_EVERY = 2 // ticks
const USUAL_ANSWER_S = 300

interface Page { city: City; sheet: HTMLElement; show: (content: HTMLElement, onMap: (map: PlaceMap) => void) => void; ask: () => void }

export class Hold {
  private timer = 0
  private ticks = 0
  private shown = ''
  private isOver = false
  private readonly doing: Doing

  constructor(private readonly page: Page, private held: Held) {
    this.doing = {
      busy: false, problem: '', answerS: USUAL_ANSWER_S,
      answer: (answer) => void this.act(async (id) => this.stands(await queueApi.answer(id, answer))),
      arrived: () => void this.act(async (id) => this.stands(await queueApi.arrived(id))),
      cancel: () => void this.act(async (id) => { await api.cancel(id); this.stands(await queueApi.reservation(id)) }),
      move: () => void this.act((id) => this.move(id)),
      keep: () => { this.held = { ...this.held, kept: [...(this.held.kept ?? []), ...changes(this.held)] }; this.render() },
      again: () => void this.again(),
    }
    this.render()
    void this.look()
    this.timer = window.setInterval(() => this.tick(), TICK_MS)
  }

  stop(): void {
    this.isOver = true
    clearInterval(this.timer)
  }

  private tick(): void {
    this.ticks += 1
    if (this.ticks % LOOK_EVERY === 0 && !this.doing.busy) void this.look()
    else this.render()
  }

  private async look(): Promise<void> {
    const { reservation } = this.held
    if (isEnded(reservation)) return
    try {
      const now = await queueApi.reservation(reservation.reservation_id)
      await setClock()
      if (!this.doing.busy) this.stands(now)
    } catch (error) {
      if (error instanceof Problem && error.status === 404) this.stands({ ...reservation, state: 'expired' })
    }
  }

  private stands(now: ReservationDetail): void {
    if (now.answer_by && now.answer_by !== this.held.reservation.answer_by) this.doing.answerS = Math.max(30, (Date.parse(now.answer_by) - cityNow()) / 1000)
    this.held = { ...this.held, reservation: now }
    this.render()
  }

  private render(): void {
    if (this.isOver) return
    const { held } = this, { reservation } = held
    rememberHeld(['held', 'used'].includes(reservation.state) ? held : null)
    const card = heldCard(this.page.city, held, this.doing), face = [card.dataset.testid, reservation.reservation_id].join(' ')
    const there = this.page.sheet.firstElementChild
    if (face === this.shown && there) return patch(there, card)
    this.shown = face
    this.page.show(card, (map) => map.way(held.route, reservation.station_id))
  }

  private async act(what: (id: number) => Promise<void>): Promise<void> {
    if (this.doing.busy) return
    this.doing.busy = true
    this.doing.problem = ''
    this.render()
    try {
      await what(this.held.reservation.reservation_id)
    } catch (error) {
      const status = error instanceof Problem ? error.status : -1
      this.doing.problem = status === 0 ? words.noReply : status === 409 ? words.queueing.tooLate : words.failed(error instanceof Problem ? error.detail : String(error))
    }
    this.doing.busy = false
    this.render()
  }

  private async move(id: number): Promise<void> {
    const { better } = this.held.reservation
    if (!better) return
    const { reservation, route } = await queueApi.move(id, better.decision_id, better.offer.station_id)
    const decision = { ...this.held.decision, decision_id: better.decision_id, chosen: better.offer, offers: [better.offer] }
    this.held = { reservation: await queueApi.reservation(reservation.reservation_id), route, decision }
  }

  /** A new search; what is held still is given back first. */
  private async again(): Promise<void> {
    if (this.held.reservation.state === 'held') await api.cancel(this.held.reservation.reservation_id).catch(() => {})
    this.stop()
    rememberHeld(null)
    this.page.ask()
  }
}

const isEnded = ({ state, afterwards }: ReservationDetail) => state !== 'held' && !(state === 'used' && !afterwards?.amount)
