/** The map as a table: for screen readers, for browsers without WebGL, and for export. */

import { compareCells, saveCsv, type Cell } from '../shared/csv'
import { arrows, h } from '../shared/dom'
import { NONE, number } from '../shared/format'
import { words } from '../shared/words'
import type { State, View } from './state'

const COLUMNS = ['station', 'zone', 'operator', 'bays', 'busy', 'free', 'queue', 'inbound', 'out', 'waitDc', 'waitAc', 'power'] as const
const TEXT_COLUMNS = 3

export function stationTable(state: State): View {
  const { stations } = state.city
  const body = h('tbody'), cells: HTMLTableCellElement[][] = []
  const rows = stations.map((station) => {
    const line = COLUMNS.map((_, c) => h('td', { class: c < TEXT_COLUMNS ? '' : 'num' }))
    line[0]?.append(h('a', { href: '#/station/' + encodeURIComponent(station.station_id) }, station.name))
    cells.push(line)
    return h('tr', {}, ...line)
  })
  body.append(...rows)
  arrows(body, 'a')
  let sorted = 0, down = false

  const row = (n: number): Cell[] => {
    const station = stations[n], live = state.live?.stations
    if (!station) return []
    return [
      station.name, station.zone_id, station.operator_id, station.ac_bays + station.dc_bays, live?.busy[n] ?? null, live?.free[n] ?? null, live?.queue[n] ?? null,
      live?.inbound[n] ?? null, live?.out_of_order[n] ?? null, live?.wait_dc_min[n] ?? null, live?.wait_ac_min[n] ?? null, live?.power_kw[n] ?? null,
    ]
  }
  const fill = () => {
    if (!element.isConnected || element.hidden) return
    cells.forEach((line, n) => row(n).forEach((value, c) => {
      const cell = line[c]
      const text = value === null ? NONE : typeof value === 'string' ? value : number(value, c > 8 ? 1 : 0)
      if (c > 0 && cell && cell.textContent !== text) cell.textContent = text
    }))
  }
  const sort = (column: number) => {
    down = column === sorted ? !down : column >= TEXT_COLUMNS
    sorted = column
    const order = stations.map((_, n) => n).sort((a, b) => compareCells(row(a)[column] ?? null, row(b)[column] ?? null) * (down ? -1 : 1))
    body.append(...order.map((n) => rows[n] as Node))
    heads.forEach((head, c) => head.setAttribute('aria-sort', c === sorted ? (down ? 'descending' : 'ascending') : 'none'))
  }
  const heads = COLUMNS.map((name, c) => h('th', { scope: 'col', class: c < TEXT_COLUMNS ? '' : 'num', 'aria-sort': c ? 'none' : 'ascending' }, h('button', { onclick: () => sort(c) }, words.columns[name])))
  const csv = () => {
    const lines = [COLUMNS.map((name) => words.columns[name]), ...stations.map((_, n) => row(n))]
    saveCsv(`stations-${(state.live?.at ?? '').slice(0, 16).replaceAll(':', '')}.csv`, lines)
  }
  const element = h('section', { class: 'table-view', 'data-testid': 'table-view', hidden: true },
    h('div', { class: 'table-head' }, h('span', { class: 'quiet' }, words.stationsCount(number(stations.length))), h('button', { class: 'plain', onclick: csv, 'data-testid': 'export-csv' }, words.exportCsv)),
    h('div', { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': words.table }, h('table', {}, h('caption', { class: 'sr' }, words.mapLabel), h('thead', {}, h('tr', {}, ...heads)), body)),
  )
  const stop = state.on('live', fill)
  new MutationObserver(fill).observe(element, { attributes: true, attributeFilter: ['hidden'] })
  return { element, stop }
}
