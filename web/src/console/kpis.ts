/** The strip of key figures. Values ease to the new ones instead of jumping. */

import type { Kpis } from '../shared/api'
import { h } from '../shared/dom'
import { kilograms, kilowattHours, minutesOr, NONE, number, power, share } from '../shared/format'
import { words } from '../shared/words'
import type { State, View } from './state'

const EASE_MS = 700
const calm = matchMedia('(prefers-reduced-motion: reduce)')

class Eased {
  private shown: number | null = null
  private frame = 0
  constructor(private readonly show: (value: number) => void) {}

  to(target: number): void {
    cancelAnimationFrame(this.frame)
    const from = this.shown ?? target
    const began = performance.now()
    const step = (now: number) => {
      const t = calm.matches ? 1 : Math.min(1, (now - began) / EASE_MS)
      this.shown = from + (target - from) * (1 - (1 - t) ** 3)
      this.show(this.shown)
      if (t < 1) this.frame = requestAnimationFrame(step)
    }
    step(began)
  }
}

function figure(id: string, label: string, unit = '') {
  const value = h('b', {}, NONE)
  const unitText = h('span', { class: 'unit' }, unit)
  const note = h('span', { class: 'note' })
  const bar = h('i', { class: 'meter', hidden: true }, h('i'))
  const element = h('div', { class: 'kpi', 'data-testid': 'kpi-' + id }, h('dt', {}, label), h('dd', {}, h('span', { class: 'value' }, value, unitText), bar, note))
  const meter = (part: number) => {
    bar.hidden = false
    ;(bar.firstElementChild as HTMLElement).style.width = `${Math.min(100, part * 100)}%`
  }
  return { element, value, unitText, note, meter }
}

/** Hours where there are many minutes. */
function span(minutes: number): [string, string] {
  return Math.abs(minutes) < 120 ? [number(minutes), words.minutesUnit] : [number(minutes / 60, minutes < 6000 ? 1 : 0), words.hours]
}

export function kpiStrip(state: State): View {
  const load = figure('load', words.load)
  const busy = figure('busy', words.busyBays)
  const waiting = figure('waiting', words.waitingDrivers)
  const saved = figure('saved', words.saved)
  const carbon = figure('carbon', words.carbon)
  const served = figure('served', words.served)
  const all = [load, busy, waiting, saved, carbon, served]

  const put = (at: ReturnType<typeof figure>, [value, unit]: [string, string]) => {
    at.value.textContent = value
    at.unitText.textContent = unit
  }
  const eased = {
    load: new Eased((kw) => put(load, power(kw))),
    busy: new Eased((n) => put(busy, [number(n), ''])),
    waiting: new Eased((n) => put(waiting, [number(n), ''])),
    saved: new Eased((minutes) => put(saved, span(minutes))),
    carbon: new Eased((kg) => { const [value, unit] = kilograms(kg).split(/\s+/) as [string, string?]; put(carbon, [value, unit ?? '']) }),
  }
  const show = (kpis: Kpis) => {
    eased.load.to(kpis.load_kw)
    load.note.textContent = words.ofLimit(power(kpis.limit_kw).join(' '))
    load.meter(kpis.load_kw / kpis.limit_kw)
    eased.busy.to(kpis.busy_bays)
    busy.note.textContent = words.ofAll(number(kpis.bays))
    busy.meter(kpis.busy_bays / kpis.bays)
    eased.waiting.to(kpis.drivers_waiting)
    waiting.note.replaceChildren(...ahead(30, kpis.waiting_30), ' · ', ...ahead(60, kpis.waiting_60))
    eased.saved.to(kpis.minutes_saved_today)
    saved.note.textContent = words.savedNote
    eased.carbon.to(kpis.kg_co2_today)
    carbon.note.textContent = words.carbonNote(kilowattHours(kpis.energy_kwh_today))
    put(served, [kpis.served_share === null ? NONE : share(kpis.served_share), ''])
    served.note.textContent = kpis.mean_wait_min === null ? words.servedNote(number(kpis.requests_today)) : words.meanWait(minutesOr(kpis.mean_wait_min))
    served.element.title = words.servedNote(number(kpis.requests_today))
  }
  state.on('live', () => { if (state.live) show(state.live.kpis) })
  return { element: h('dl', { class: 'kpis', 'aria-label': words.figures, 'data-testid': 'kpis' }, ...all.map(({ element }) => element)) }
}

const ahead = (minutes: number, count: number) => [h('b', {}, number(count)), ' ' + words.inMinutes(minutes)]
