/** The slider over the next 24 hours: which hour of the forecast glows on the map. */

import { h } from '../shared/dom'
import { clock, kilowattHours } from '../shared/format'
import { words } from '../shared/words'
import { shortageSentence, shortAt } from './shortage'
import type { State } from './state'

const HOUR_MS = 3600_000

export function hourSlider(state: State): HTMLElement {
  const input = h('input', { type: 'range', min: 0, max: 23, value: 0, step: 1, 'aria-label': words.hourLabel, 'data-testid': 'hour', oninput: () => state.setHour(Number(input.value)) })
  const when = h('b', {}, words.hourNow), expected = h('span', { class: 'quiet' })
  const short = h('a', { class: 'short-line', href: '#/forecast', hidden: true, 'data-testid': 'short-line' })
  const bars = h('div', { class: 'hour-bars', 'aria-hidden': 'true' })
  const show = () => {
    const forecast = state.forecast
    if (!forecast) return
    input.max = String(forecast.hours.length - 1)
    const at = forecast.hours[state.hour] ?? forecast.origin
    const begin = clock(at), end = clock(Date.parse(at) + HOUR_MS)
    const { q10, q50, q90 } = forecast.total
    when.textContent = `${begin}–${end}` + (state.hour === 0 ? ` · ${words.hourNow}` : ` · +${words.hoursShort(state.hour)}`)
    expected.textContent = words.expected(kilowattHours(q50[state.hour] ?? 0), kilowattHours(q10[state.hour] ?? 0), kilowattHours(q90[state.hour] ?? 0))
    input.setAttribute('aria-valuetext', `${when.textContent}: ${expected.textContent}`)
    const worst = [...shortAt(state.outlook, at).values()].sort((a, b) => b.probability - a.probability || b.more_bays - a.more_bays)
    short.hidden = !worst[0]
    short.textContent = worst[0] ? shortageSentence(worst[0]) + (worst.length > 1 ? ` · ${words.outlook.more(String(worst.length - 1))}` : '') : ''
    const top = Math.max(1, ...q50)
    bars.replaceChildren(...q50.map((kwh, i) => {
      const bar = h('i', { class: i === state.hour ? 'on' : '' })
      bar.style.height = `${(kwh / top) * 100}%`
      return bar
    }))
  }
  state.on('forecast', show)
  state.on('hour', show)
  return h('div', { class: 'hours' }, h('div', { class: 'hours-text' }, when, expected), short, h('div', { class: 'hours-slider' }, bars, input))
}
