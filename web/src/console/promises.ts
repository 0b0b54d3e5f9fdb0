/** Promised against realised, by station or operator; each row opens the decisions behind it, each of those its why. */

import { api, type PromisedDecision, type Promises, type Standing } from '../shared/api'
import { compareCells, saveCsv, type Cell } from '../shared/csv'
import { arrows, h, skeleton } from '../shared/dom'
import { dayAndClock, minutesOr, money, NONE, number, relative, share } from '../shared/format'
import { said, words } from '../shared/words'
import { wrong } from '../shared/wrong'
import type { Calibration } from './calibration'
import type { State, View } from './state'

type By = 'station' | 'operator'
const COLUMNS = ['group', 'made', 'kept', 'elsewhere', 'gave_up', 'open', 'promised_wait_min', 'realised_wait_min', 'wait_error_min', 'wait_error_p95_min', 'within', 'promised_amount', 'realised_amount', 'amount_same'] as const
const AIM = [0.87, 0.93] as const
const ENOUGH = 30 // waits, before their share says anything
const DAY_MS = 86_400_000
const RENEW_MS = 15_000
const ROWS = 200 // of the table at first
const seen = { days: '7', column: 1, down: true } // as one left it, when one comes back

export function promisesPage(state: State, asked: string, group: string): View {
  const by: By = asked === 'operator' ? 'operator' : 'station'
  const chart = h('div', { class: 'chart square', role: 'img', 'aria-label': words.accountable.calibration })
  const tiles = h('dl', { class: 'tiles', 'data-testid': 'promise-figures' }), tableBox = h('div', {}, skeleton(10)), behindBox = h('div', {}), empty = h('p', { class: 'empty', hidden: true }, words.accountable.calibrationNone)
  const choice = (name: string, values: [string, string][], value: string, onchange: (value: string) => void, testId: string) => {
    const select = h('select', { 'aria-label': name, 'data-testid': testId, onchange: () => onchange(select.value) }, ...values.map(([key, text]) => h('option', { value: key, selected: key === value }, text)))
    return select
  }
  const tools = h('div', { class: 'tools' },
    choice(words.accountable.by, [['station', words.accountable.byStation], ['operator', words.accountable.byOperator]], by, (to) => (location.hash = '#/promises/' + to), 'promises-by'),
    choice(words.accountable.span, Object.entries(words.accountable.spans).sort(([a], [b]) => (Number(a) || 999) - (Number(b) || 999)), seen.days, (days) => { seen.days = days; void renew() }, 'promises-span'),
    h('button', { class: 'plain', 'data-testid': 'promises-csv', onclick: () => newest && saveCsv(`promises-${by}-${newest.until.slice(0, 10)}.csv`, csv(state, newest)) }, words.exportCsv))
  let newest: Promises | null = null, drawn: Calibration | null = null, stopped = false, turn = 0, last = 0

  const span = () => ({ from: seen.days === '0' ? '1970-01-02T00:00:00Z' : new Date(state.stream.now() - Number(seen.days) * DAY_MS).toISOString() })
  const renew = async () => {
    if (!state.live) return // what time it is in the city is not known yet
    const mine = ++turn
    last = Date.now()
    try {
      const [found, behind] = await Promise.all([api.promises(by, span().from, group), group ? api.promisedDecisions(by, group, span().from) : null])
      if (mine !== turn || stopped) return
      newest = found
      show(found, behind)
    } catch (error) {
      if (mine === turn) tableBox.replaceChildren(h('p', { class: 'empty', role: 'alert' }, wrong(error)))
    }
  }
  const show = (found: Promises, behind: PromisedDecision[] | null) => {
    const some = found.total.made > 0
    tiles.replaceChildren(...(some ? figures(found.total) : []))
    tableBox.replaceChildren(some ? table(state, found, group, () => show(found, behind)) : h('p', { class: 'empty' }, words.accountable.none))
    behindBox.replaceChildren(...(behind ? [h('h2', {}, words.accountable.behind(nameOf(state, by, group))), behindTable(state, by, behind)] : []))
    empty.hidden = found.calibration.length > 0
    chart.hidden = !found.calibration.length
    if (drawn && found.calibration.length) { drawn.resize(); drawn.show(found.calibration) }
  }
  void import('./calibration').then(({ calibrationIn }) => {
    if (stopped) return
    drawn = calibrationIn(chart)
    if (newest?.calibration.length) drawn.show(newest.calibration)
  })
  const resize = () => drawn?.resize()
  addEventListener('resize', resize)
  const stop = state.on('live', () => { if (Date.now() - last > RENEW_MS) void renew() })
  void renew()
  arrows(tableBox, 'tbody a')
  arrows(behindBox, 'tbody a')
  const element = h('section', { class: 'page promises', 'data-testid': 'promises' },
    h('header', { class: 'page-head' }, h('div', {}, h('h1', {}, group ? `${words.accountable.title} · ${nameOf(state, by, group)}` : words.accountable.title), h('p', { class: 'quiet' }, words.accountable.note, group ? ' ' : '', group && h('a', { href: '#/promises/' + by }, words.accountable.allStations))), tools),
    h('div', { class: 'two even' }, tiles, h('figure', {}, h('h2', {}, words.accountable.calibration), chart, empty, h('figcaption', { class: 'quiet small' }, words.accountable.calibrationNote))),
    tableBox, behindBox)
  return { element, up: group ? '#/promises/' + by : '#/', stop: () => { stopped = true; stop(); removeEventListener('resize', resize); drawn?.dispose() } }
}

const nameOf = (state: State, by: By, group: string) => (by === 'station' ? state.nameOf(group) : group) || NONE
const cny = (value: string | null) => (value === null ? NONE : money(value))
const exact = (value: number | null) => (value === null ? NONE : number(value, 1))

/** In words beside the colour: whether nine of ten waits were within what was promised for nine of ten. */
function verdict({ within_p90_where_any: within, waits_promised: waits }: Standing): { tone: string; word: string } {
  if (within === null) return { tone: '', word: '' }
  if (waits < ENOUGH) return { tone: '', word: words.accountable.tooFew }
  if (within < AIM[0]) return { tone: 'bad', word: words.accountable.below }
  return within > AIM[1] ? { tone: 'amber', word: words.accountable.above } : { tone: 'good', word: words.accountable.onAim }
}

function figures(whole: Standing): HTMLElement[] {
  const { tone, word } = verdict(whole)
  const tile = (name: string, value: string, ...notes: (Node | string)[]) => h('div', {}, h('dt', {}, name), h('dd', {}, h('b', {}, value)), ...notes.map((note) => h('dd', { class: 'quiet small' }, note)))
  return [
    tile(words.accountable.figures.within, whole.within_p90_where_any === null ? NONE : share(whole.within_p90_where_any), word && h('span', { class: tone }, `${word} · ${words.accountable.aim}`), `${words.accountable.ofWaits(number(whole.waits_promised))} · ${words.accountable.ofAllWaits(whole.within_p90 === null ? NONE : share(whole.within_p90), number(whole.waits))}`),
    tile(words.accountable.figures.error, whole.wait_error_min === null ? NONE : `${signed(whole.wait_error_min)} ${words.minutesUnit}`, words.accountable.errorNote(minutesOr(whole.promised_wait_min), minutesOr(whole.realised_wait_min)), `p95 ${whole.wait_error_p95_min === null ? NONE : signed(whole.wait_error_p95_min)} ${words.minutesUnit}`),
    tile(words.accountable.figures.amount, whole.amount_same === null ? NONE : share(whole.amount_same), words.accountable.amountNote(cny(whole.promised_amount), cny(whole.realised_amount)), words.accountable.amountRule),
    tile(words.accountable.figures.apart, words.accountable.apartCount(number(whole.elsewhere + whole.gave_up + whole.open)), words.accountable.apartNote(number(whole.elsewhere), number(whole.gave_up), number(whole.open))),
  ]
}

const signed = (value: number) => { const rounded = Math.round(value * 10) / 10 || 0; return (rounded > 0 ? '+' : '') + number(rounded, 1) }

function cells(row: Standing): Cell[] {
  const amount = (value: string | null) => (value === null ? null : Number(value))
  return [row.group, row.made, row.kept, row.elsewhere, row.gave_up, row.open, row.promised_wait_min, row.realised_wait_min, row.wait_error_min, row.wait_error_p95_min, row.within_p90_where_any, amount(row.promised_amount), amount(row.realised_amount), row.amount_same]
}

function table(state: State, found: Promises, group: string, again: () => void): HTMLElement {
  const rows = found.rows.map((row) => ({ row, key: cells(row)[seen.column] ?? null })).sort((a, b) => compareCells(a.key, b.key) * (seen.down ? -1 : 1)).map(({ row }) => row)
  const sort = (column: number) => { seen.down = column === seen.column ? !seen.down : column > 0; seen.column = column; again() }
  const heads = COLUMNS.map((name, c) => h('th', { scope: 'col', class: c ? 'num' : '', 'aria-sort': c !== seen.column ? 'none' : seen.down ? 'descending' : 'ascending' }, h('button', { onclick: () => sort(c) }, c === 0 && found.by === 'operator' ? words.accountable.byOperator : words.accountable.columns[name])))
  const line = (row: Standing) => {
    const { tone, word } = verdict(row)
    const texts = [number(row.made), number(row.kept), number(row.elsewhere), number(row.gave_up), number(row.open), exact(row.promised_wait_min), exact(row.realised_wait_min), row.wait_error_min === null ? NONE : signed(row.wait_error_min), row.wait_error_p95_min === null ? NONE : signed(row.wait_error_p95_min)]
    return h('tr', { class: row.group === group ? 'on' : '', 'data-testid': 'promise-row' },
      h('td', {}, h('a', { href: `#/promises/${found.by}/${encodeURIComponent(row.group)}` }, nameOf(state, found.by, row.group))), ...texts.map((text) => h('td', { class: 'num' }, text)),
      h('td', { class: 'num', title: word }, row.within_p90_where_any === null ? NONE : h('span', { class: tone }, share(row.within_p90_where_any), h('span', { class: 'sr' }, ` ${word}`))), h('td', { class: 'num' }, cny(row.promised_amount)), h('td', { class: 'num' }, cny(row.realised_amount)), h('td', { class: 'num' }, row.amount_same === null ? NONE : share(row.amount_same)))
  }
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': words.accountable.title }, h('table', { class: 'figures sortable', 'data-testid': 'promise-table' }, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...rows.slice(0, ROWS).map(line))))
}

function behindTable(state: State, by: By, found: PromisedDecision[]): HTMLElement {
  if (!found.length) return h('p', { class: 'empty' }, words.accountable.noBehind)
  const now = state.stream.now(), columns = words.accountable.columns
  const heads = [words.accountable.made, ...(by === 'operator' ? [words.station] : []), words.accountable.outcome].map((name) => h('th', { scope: 'col' }, name)).concat([columns.promised_wait_min, columns.realised_wait_min, columns.promised_amount, columns.realised_amount].map((name) => h('th', { scope: 'col', class: 'num' }, name)))
  const line = (each: PromisedDecision) => h('tr', { 'data-testid': 'promise-decision' },
    h('td', {}, h('a', { href: '#/why/' + encodeURIComponent(each.decision_id), title: dayAndClock(each.at) }, `${relative(each.at, now)} · ${each.decision_id}`)), ...(by === 'operator' ? [h('td', {}, state.nameOf(each.station_id))] : []),
    h('td', {}, said(words.accountable.came, each.came ?? 'open')), h('td', { class: 'num' }, `${exact(each.wait_min)} (≤ ${exact(each.wait_p90_min)})`),
    h('td', { class: 'num' }, each.realised_wait_min === null ? NONE : h('span', { class: each.came !== 'kept' ? '' : each.realised_wait_min <= each.wait_p90_min ? 'good' : 'bad' }, `${exact(each.realised_wait_min)}${each.came !== 'kept' ? '' : each.realised_wait_min <= each.wait_p90_min ? ' ✓' : ' ✕'}`)),
    h('td', { class: 'num' }, money(each.amount)), h('td', { class: 'num' }, cny(each.realised_amount)))
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': words.accountable.decision }, h('table', { class: 'figures behind' }, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...found.map(line))))
}

function csv(state: State, found: Promises): Cell[][] {
  const { columns } = words.accountable
  return [['ID', ...COLUMNS.map((name) => columns[name])], ...found.rows.map((row) => [row.group, nameOf(state, found.by, row.group), ...cells(row).slice(1)])]
}
