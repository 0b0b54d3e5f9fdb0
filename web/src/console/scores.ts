/** How good forecasts were: by level and hours ahead, with drift; and any of them as it was made, beside what came. */

import { h, skeleton } from '../shared/dom'
import { clock, dayAndClock, kilowattHours, NONE, number, share } from '../shared/format'
import { outlookApi, type Past, type Score, type Scores } from '../shared/outlook'
import { said, words } from '../shared/words'
import { wrong } from '../shared/wrong'
import type { Fan } from './fan'
import type { State, View } from './state'

const AIM = [0.77, 0.83] as const
const ENOUGH = 100 // units and hours, before a share within the band says anything
const DAY_MS = 86_400_000
const RENEW_MS = 15_000
const TELLING_H = 6
const seen = { days: '7' } // as one left it, when one comes back

export function scoresPage(state: State): View {
  const text = words.outlook
  const span = h('select', { 'aria-label': text.span, 'data-testid': 'scores-span', onchange: () => { seen.days = span.value; void renew() } }, ...Object.entries(text.spans).map(([days, name]) => h('option', { value: days, selected: days === seen.days }, name)))
  const origins = h('select', { 'aria-label': text.pastChoice, 'data-testid': 'past-origin', onchange: () => void showPast() })
  const units = h('select', { 'aria-label': text.pastUnit, onchange: () => void showPast() }, h('option', { value: 'city' }, words.wholeCity), ...state.city.zones.map((zone) => h('option', { value: zone.zone_id }, text.zoneUnit(zone.zone_id))))
  const verdict = h('p', { role: 'status', 'data-testid': 'drift' }), tableBox = h('div', {}, skeleton(8))
  const chart = h('div', { class: 'chart', role: 'img', 'aria-label': text.past }), made = h('p', { class: 'quiet' }), table = h('details', {})
  let fan: Fan | null = null, past: Past | null = null, stopped = false, turn = 0, pastTurn = 0, last = 0

  const renew = async () => {
    if (!state.live) return // what time it is in the city is not known yet
    const mine = ++turn
    last = Date.now()
    try {
      const found = await outlookApi.scores(new Date(state.stream.now() - Number(seen.days) * DAY_MS).toISOString())
      if (mine !== turn || stopped) return
      tableBox.replaceChildren(found.records.length ? scoreTable(found) : h('p', { class: 'empty' }, text.noScores))
      verdict.replaceChildren(...driftLine(found))
      const chosen = origins.value || (found.newest[TELLING_H] ?? found.newest[0])?.origin // one that some hours have come of
      origins.replaceChildren(...found.newest.map(({ origin }) => h('option', { value: origin, selected: origin === chosen }, dayAndClock(origin))))
      if (!past) void showPast()
    } catch (error) {
      if (mine === turn) tableBox.replaceChildren(h('p', { class: 'empty', role: 'alert' }, wrong(error)))
    }
  }
  const showPast = async () => {
    const mine = ++pastTurn // a slow answer must not overtake a quick one
    if (!origins.value) return made.replaceChildren(text.none)
    try {
      const found = await outlookApi.past(origins.value, units.value)
      if (mine !== pastTurn || stopped) return
      past = found
    } catch (error) {
      if (mine === pastTurn && !stopped) made.replaceChildren(wrong(error))
      return
    }
    made.textContent = text.madeAt(dayAndClock(past.made_at))
    table.replaceChildren(h('summary', {}, words.asTable), pastTable(past))
    draw()
  }
  const draw = () => { if (past && fan) fan.show(past.hours.map(clock), past.q10, past.q50, past.q90, past.came) }
  void import('./fan').then(({ fanIn }) => {
    if (stopped) return
    fan = fanIn(chart)
    draw()
  })
  const resize = () => fan?.resize()
  addEventListener('resize', resize)
  const stop = state.on('live', () => { if (Date.now() - last > RENEW_MS) void renew() })
  void renew()
  const element = h('section', { class: 'page promises', 'data-testid': 'scores' },
    h('header', { class: 'page-head' }, h('div', {}, h('h1', {}, text.scores), h('p', { class: 'quiet' }, text.scoresNote, ' ', h('a', { href: '#/forecast' }, text.toForecast))), h('div', { class: 'tools' }, span)),
    verdict, tableBox, h('div', { class: 'zone-head' }, h('h2', {}, text.past), origins, units), made, chart, table)
  return { element, up: '#/forecast', stop: () => { stopped = true; stop(); removeEventListener('resize', resize); fan?.dispose() } }
}

function driftLine({ records }: Scores): (Node | string)[] {
  if (!records.length) return []
  const grown = records.filter(({ drift }) => drift.is_there).length
  if (grown) return [h('span', { class: 'bad' }, '▲ ', words.outlook.drifted(number(grown)))]
  return [records.some(({ drift }) => drift.is_there === false) ? h('span', { class: 'good' }, words.outlook.notDrifted) : h('span', { class: 'quiet' }, words.outlook.driftUnknown)]
}

function coverage({ coverage: within, hours, units }: Score): { tone: string; word: string } {
  if (hours * units < ENOUGH) return { tone: '', word: words.outlook.tooFew }
  if (within < AIM[0]) return { tone: 'amber', word: words.outlook.below }
  return within > AIM[1] ? { tone: 'amber', word: words.outlook.above } : { tone: 'good', word: words.outlook.onAim }
}

function scoreTable({ records }: Scores): HTMLElement {
  const text = words.outlook
  const heads = Object.entries(text.columns).map(([key, name], n) => h('th', { scope: 'col', class: n > 1 ? 'num' : '', title: key === 'coverage' ? text.coverageAim : '' }, name))
  const line = (row: Score) => {
    const { tone, word } = coverage(row), { drift } = row
    const kind = drift.is_there === null ? 'unknown' : drift.is_there ? 'yes' : 'no'
    const why = drift.recent !== null && drift.before !== null ? text.driftNote(share(drift.recent), share(drift.before)) : ''
    return h('tr', { 'data-testid': 'score-row' }, h('th', { scope: 'row' }, said(text.levels, row.level)), h('td', {}, words.hoursShort(row.horizon_h)),
      ...[number(row.hours), number(row.units), number(row.mae_kwh, 1), share(row.relative), row.naive === null ? NONE : share(row.naive), number(row.pinball_kwh, 1)].map((value) => h('td', { class: 'num' }, value)),
      h('td', { class: 'num' }, h('span', { class: tone }, `${share(row.coverage)} `, h('small', {}, word))), h('td', { class: 'num', title: why }, h('span', { class: kind === 'yes' ? 'bad' : 'quiet' }, text.drift[kind])))
  }
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': text.scores }, h('table', { class: 'figures behind', 'data-testid': 'score-table' }, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...records.map(line))))
}

function pastTable(past: Past): HTMLElement {
  const heads = [words.hour, words.median, '10 %', '90 %', words.outlook.came].map((name, n) => h('th', { scope: 'col', class: n ? 'num' : '' }, name))
  return h('table', { class: 'figures' }, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...past.hours.map((hour, n) => h('tr', {}, h('th', { scope: 'row' }, clock(hour)), ...[past.q50[n], past.q10[n], past.q90[n], past.came[n]].map((kwh) => h('td', { class: 'num' }, kwh === null || kwh === undefined ? NONE : kilowattHours(kwh)))))))
}
