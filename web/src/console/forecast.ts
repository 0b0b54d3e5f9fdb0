/** What charging is expected: the city's and one zone's quantile fan, the peak and the busiest zones. */

import type { Forecast } from '../shared/api'
import { h, skeleton } from '../shared/dom'
import { clock, dayAndClock, kilowattHours } from '../shared/format'
import { said, words } from '../shared/words'
import { coming, peakLines } from './coming'
import type { Fan } from './fan'
import type { State, View } from './state'

const BUSIEST = 6

export function forecastPage(state: State): View {
  const zones = [...state.city.zones].sort((a, b) => a.zone_id.localeCompare(b.zone_id, undefined, { numeric: true }))
  const choice = h('select', { 'aria-label': words.zoneChoice, 'data-testid': 'zone', onchange: () => show() }, ...zones.map((zone) => h('option', { value: zone.zone_id }, `${zone.zone_id} · ${said(words.siteTypes, zone.land_use)}`)))
  const charts = [0, 1].map(() => h('div', { class: 'chart', role: 'img' }))
  const facts = h('div', { class: 'fan-facts' }, skeleton(4)), zoneFacts = h('p', { class: 'line' }), since = h('p', { class: 'quiet' }, words.forecastNote)
  const table = h('details', {}, h('summary', {}, words.asTable)), ahead = h('div', { class: 'stack' })
  let fans: Fan[] = [], stopped = false

  const show = () => {
    const forecast = state.forecast
    if (!forecast || !fans[0] || !fans[1]) return
    const hours = forecast.hours.map(clock), z = forecast.zone_ids.indexOf(choice.value)
    const { q10, q50, q90 } = forecast.total
    const of = (rows: number[][]) => rows.map((row) => row[z] ?? 0)
    fans[0].show(hours, q10, q50, q90)
    fans[1].show(hours, of(forecast.q10), of(forecast.q50), of(forecast.q90))
    const peak = peakOf(q50), { outlook } = state
    const choose = (zone: string) => { choice.value = zone; show(); choice.scrollIntoView({ block: 'center' }) }
    since.textContent = `${words.forecastNote} ${words.madeAt(dayAndClock(forecast.origin))}`
    facts.replaceChildren(h('p', { class: 'line' }, h('b', {}, words.dayTotal(kilowattHours(sum(q50))))), h('h2', {}, words.outlook.peak), ...(outlook ? peakLines(outlook) : []), h('h2', {}, words.busiest), busiest(forecast, peak, choose))
    if (outlook) ahead.replaceChildren(...coming(state, outlook, choose))
    const isStopped = outlook?.stopped.some((feed) => feed.unit === 'zone' && feed.unit_id === choice.value)
    zoneFacts.textContent = `${isStopped ? words.outlook.stoppedZone + ' · ' : ''}${words.dayTotal(kilowattHours(sum(of(forecast.q50))))} · ${words.peak} ${peakText(hours, of(forecast.q10), of(forecast.q50), of(forecast.q90))}`
    charts[0]?.setAttribute('aria-label', `${words.wholeCity}: ${words.peak} ${peakText(hours, q10, q50, q90)}`)
    charts[1]?.setAttribute('aria-label', `${choice.value}: ${zoneFacts.textContent}`)
    table.replaceChildren(h('summary', {}, words.asTable), h('table', { class: 'figures' }, h('thead', {}, h('tr', {}, ...[words.hour, words.median, '10 %', '90 %', choice.value].map((name, n) => h('th', { scope: 'col', class: n ? 'num' : '' }, name)))),
      h('tbody', {}, ...hours.map((hour, n) => h('tr', {}, h('th', { scope: 'row' }, hour), ...[q50, q10, q90, of(forecast.q50)].map((row) => h('td', { class: 'num' }, kilowattHours(row[n] ?? 0))))))))
  }
  const resize = () => fans.forEach((fan) => fan.resize())
  addEventListener('resize', resize)
  void import('./fan').then(({ fanIn }) => {
    if (stopped) return
    fans = charts.map(fanIn)
    show()
  })
  const stop = state.on('forecast', show)
  const element = h('section', { class: 'page forecast', 'data-testid': 'forecast' },
    h('header', { class: 'page-head' }, h('div', {}, h('h1', {}, words.forecastTitle), since), h('a', { href: '#/scores', 'data-testid': 'to-scores' }, words.outlook.toScores)),
    h('div', { class: 'two' }, h('div', {}, h('h2', {}, words.wholeCity), charts[0]), h('aside', {}, facts)),
    ahead,
    h('div', { class: 'zone-head' }, h('h2', {}, words.zoneChoice), choice), zoneFacts, charts[1], table)
  return { element, stop: () => { stopped = true; stop(); removeEventListener('resize', resize); fans.forEach((fan) => fan.dispose()) } }
}

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)
const peakOf = (values: number[]) => values.indexOf(Math.max(...values))

function peakText(hours: string[], q10: number[], q50: number[], q90: number[]): string {
  const n = peakOf(q50)
  return words.peakAt(hours[n] ?? '', kilowattHours(q50[n] ?? 0), kilowattHours(q10[n] ?? 0), kilowattHours(q90[n] ?? 0))
}

function busiest(forecast: Forecast, hour: number, choose: (zone: string) => void): HTMLElement {
  const row = forecast.q50[hour] ?? []
  const order = row.map((kwh, n) => ({ kwh, zone: forecast.zone_ids[n] ?? '' })).sort((a, b) => b.kwh - a.kwh).slice(0, BUSIEST)
  return h('ol', { class: 'busiest' }, ...order.map(({ kwh, zone }) => h('li', {}, h('button', { class: 'plain', onclick: () => choose(zone) }, zone), h('span', { class: 'meter' }, h('i', { style: `width:${(kwh / (order[0]?.kwh || 1)) * 100}%` })), h('span', { class: 'num' }, kilowattHours(kwh)))))
}
