/** The limits that a charger says it will keep to in the next hours (GetCompositeSchedule), beside our own plan for its session. */

import { api } from '../../shared/api'
import { h } from '../../shared/dom'
import { clock, dayAndClock, NONE, number } from '../../shared/format'
import { words } from '../../shared/words'
import { wrong } from '../../shared/wrong'
import type { State } from '../state'
import { fleetApi, type ChargerDetail } from './api'
import type { Step, StepChart } from './steps'
import { verdictOf } from './verdict'

const HOURS = [3, 12, 24]
const ACTION = 'GetCompositeSchedule'

/** As 1.6 and 2.x answer it; `limit` may be missing where only a setpoint or a discharge limit is said (2.1). */
interface Period { startPeriod: number; limit?: number }
interface Schedule { duration?: number; chargingRateUnit: 'W' | 'A'; chargingSchedulePeriod: Period[] }
interface Composite { scheduleStart?: string; chargingSchedule?: Schedule; schedule?: Schedule & { scheduleStart: string } }

export class SchedulePart {
  readonly element: HTMLElement
  private charger: ChargerDetail | null = null
  private chart: StepChart | null = null
  private readonly connector = h('select', { 'aria-label': words.fleet.connectors })
  private readonly hours = h('select', { 'aria-label': words.fleet.hoursAhead }, ...HOURS.map((hours) => h('option', { value: hours }, words.fleet.nextHours(number(hours)))))
  private readonly ask = h('button', { class: 'plain', type: 'button', 'data-testid': 'ask-schedule', onclick: () => void this.fetch() }, words.fleet.askSchedule)
  private readonly outcome = h('p', { role: 'status' })
  private readonly key = h('p', { class: 'chart-key small quiet', hidden: true })
  private readonly plot = h('div', { class: 'steps', hidden: true, 'data-testid': 'steps' })
  private readonly table = h('details', { hidden: true })
  private readonly resized = new ResizeObserver(() => this.chart?.resize())

  constructor(private readonly state: State, private readonly chargerId: string) {
    this.element = h('section', { class: 'schedule', hidden: true, 'data-testid': 'schedule' }, h('h2', {}, words.fleet.schedule), h('p', { class: 'quiet small' }, words.fleet.scheduleNote),
      h('div', { class: 'tools' }, this.connector, this.hours, this.ask), this.outcome, this.key, this.plot, this.table)
    this.resized.observe(this.plot)
  }

  show(charger: ChargerDetail): void {
    this.element.hidden = !this.state.may('command') || charger.state !== 'adopted' || charger.version === null
    this.ask.disabled = !charger.connected
    if (this.charger?.connectors.length !== charger.connectors.length || this.charger.version !== charger.version) {
      const name = charger.version === 'ocpp1.6' ? (n: number) => words.fleet.connector(String(n)) : words.fleet.evse
      this.connector.replaceChildren(...charger.connectors.map((each) => h('option', { value: each.connector }, name(each.connector))))
    }
    this.charger = charger
  }

  stop(): void {
    this.resized.disconnect()
    this.chart?.dispose()
  }

  private async fetch(): Promise<void> {
    const { charger } = this, connector = Number(this.connector.value || 1), duration = Number(this.hours.value) * 3600
    if (!charger) return
    this.say('quiet', words.fleet.sending)
    try {
      const where = charger.version === 'ocpp1.6' ? { connectorId: connector } : { evseId: connector }
      const answer = await fleetApi.command(this.chargerId, ACTION, { ...where, duration })
      const verdict = verdictOf(answer, ''), composite = answer.payload as Composite, schedule = composite.schedule ?? composite.chargingSchedule
      if (answer.payload['status'] !== 'Accepted' || !schedule) return this.say(verdict.tone, [verdict.text, answer.description].filter(Boolean).join(' · '))
      const start = Date.parse(composite.schedule?.scheduleStart ?? composite.scheduleStart ?? new Date(this.state.stream.now()).toISOString())
      await this.draw(schedule, start, start + (schedule.duration ?? duration) * 1000, charger.connectors[connector - 1]?.evse_id ?? '')
    } catch (error) {
      this.say('bad', '✕ ' + wrong(error))
    }
  }

  private async draw(schedule: Schedule, start: number, end: number, evseId: string): Promise<void> {
    const inKw = schedule.chargingRateUnit === 'W', unit = inKw ? 'kW' : 'A'
    const told: Step[] = schedule.chargingSchedulePeriod.map(({ startPeriod, limit }) => ({ at: start + startPeriod * 1000, value: limit === undefined ? null : inKw ? limit / 1000 : limit }))
    const planned = inKw ? await this.planOf(evseId, start, end) : []
    this.say('', '')
    this.key.hidden = this.plot.hidden = this.table.hidden = false
    this.key.replaceChildren(h('i', { class: 'told' }), words.fleet.chargerLimit(unit), ...(planned.length ? [h('i', { class: 'planned' }), words.fleet.ourPlan(unit)] : []))
    this.chart ??= (await import('./steps')).stepsIn(this.plot)
    this.chart.show(told, planned, start, end, unit)
    const row = ({ at, value }: Step) => h('tr', {}, h('td', {}, h('time', { title: dayAndClock(at) }, clock(at))), h('td', { class: 'num' }, value === null ? NONE : `${number(value, 1)} ${unit}`))
    this.table.replaceChildren(h('summary', {}, words.fleet.asTable), h('table', { class: 'figures' }, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, words.fleet.from), h('th', { scope: 'col', class: 'num' }, words.fleet.limit))), h('tbody', {}, ...told.map(row))))
  }

  /** What the city plans for the session at this bay, in kW; nothing where none charges there. */
  private async planOf(evseId: string, start: number, end: number): Promise<Step[]> {
    if (!this.charger?.station_id) return []
    const { bays } = await api.station(this.charger.station_id), session = bays.find((bay) => bay.evse_id === evseId)?.session
    if (!session?.plan_start) return []
    const first = Date.parse(session.plan_start), values: (number | null)[] = [...session.plan_kw, null] // nothing is planned beyond
    const steps = values.map((value, n) => ({ at: first + n * session.plan_step_s * 1000, value }))
    const current = steps.findLast(({ at }) => at <= start)
    return [...(current ? [{ ...current, at: start }] : []), ...steps.filter(({ at }) => at > start && at < end)]
  }

  private say(tone: string, text: string): void {
    this.outcome.className = tone
    this.outcome.textContent = text
  }
}
