/** All chargers: how many are well, which are not, and who wants in. */

import { compareCells, saveCsv } from '../../shared/csv'
import { arrows, h, patchChildren, skeleton } from '../../shared/dom'
import { number, relative } from '../../shared/format'
import { words } from '../../shared/words'
import type { State, View } from '../state'
import { HEALTHS, type Charger, type Health } from './api'
import { emptyFleet } from './empty'
import { healthMark } from './health'
import { chargerRow, COLUMNS, csvLines, sortKey, textOf, type Column } from './rows'
import { fleet } from './store'

const ROWS = 100 // in one part of the list
const NEWCOMERS = 4 // shown above it
const seen = { text: '', column: 'health' as Column, down: false } // as one left it, when one comes back

/** `filter` is a health or nothing; `text` fills the search. */
export function chargersPage(state: State, filter: string, text: string): View {
  const wanted = HEALTHS.find((health) => health === filter)
  let from = 0
  const search = h('input', { type: 'search', placeholder: words.fleet.search, 'aria-label': `${words.fleet.search} (${words.fleet.searchHint})`, title: words.fleet.searchHint, 'data-testid': 'fleet-search', spellcheck: 'false', oninput: () => { seen.text = search.value; from = 0; show() } })
  search.value = seen.text = text || seen.text
  const body = h('div', { class: 'fleet-body' }, skeleton(12))
  const element = h('section', { class: 'page fleet', 'data-testid': 'chargers' },
    h('header', { class: 'page-head' }, h('h1', {}, words.fleet.chargers), h('div', { class: 'tools' }, search, h('button', { class: 'plain', onclick: () => saveCsv('chargers.csv', csvLines(state, chosen())), 'data-testid': 'fleet-csv' }, words.exportCsv))), body)
  arrows(body, 'tbody a')

  const chosen = (): Charger[] => {
    const terms = seen.text.toLowerCase().split(/\s+/).filter(Boolean), sign = seen.down ? -1 : 1
    return (fleet.chargers ?? [])
      .filter((charger) => (!wanted || charger.health === wanted) && (!terms.length || matches(textOf(state, charger), terms)))
      .map((charger) => ({ charger, key: sortKey(state, charger, seen.column) }))
      .sort((a, b) => sign * compareCells(a.key, b.key) || compareCells(a.charger.charger_id, b.charger.charger_id))
      .map(({ charger }) => charger)
  }
  const sortBy = (column: Column) => {
    seen.down = column === seen.column && !seen.down
    seen.column = column
    from = 0
    show()
  }
  const show = () => {
    const all = fleet.chargers
    if (!all) return void (fleet.problem && body.replaceChildren(h('p', { class: 'empty', role: 'alert' }, fleet.problem)))
    if (!all.length) return void (body.querySelector('.no-charger') ?? body.replaceChildren(emptyFleet()))
    const found = chosen()
    from = Math.min(from, Math.floor(Math.max(0, found.length - 1) / ROWS) * ROWS)
    const heads = COLUMNS.map((column) => h('th', { scope: 'col', class: column + (column === 'sessions' ? ' num' : ''), 'aria-sort': column !== seen.column ? 'none' : seen.down ? 'descending' : 'ascending' }, h('button', { onclick: () => sortBy(column) }, words.fleet.columns[column])))
    patchChildren(body, [
      counts(all, wanted),
      h('p', { class: 'bad', role: 'status', hidden: !fleet.problem }, words.fleet.problem(fleet.problem)),
      newcomers(state, wanted || seen.text ? [] : all.filter(({ health }) => health === 'quarantined').sort(newestFirst)),
      found.length
        ? h('table', { class: 'fleet-table' }, h('caption', { class: 'sr' }, words.fleet.chargers), h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...found.slice(from, from + ROWS).map((charger) => chargerRow(state, charger))))
        : h('p', { class: 'empty' }, words.fleet.none, ' ', h('a', { href: '#/chargers', onclick: () => { seen.text = search.value = ''; show() } }, words.fleet.showAll)),
      pager(from, found.length, (to) => { from = to; show(); element.parentElement?.scrollTo(0, 0) }),
    ])
  }
  return { element, stop: fleet.watch(show), find: () => search.focus() }
}

/** Those heard of last are those somebody is just connecting. */
const newestFirst = (a: Charger, b: Charger) => (b.last_seen ?? '').localeCompare(a.last_seen ?? '')
const matches = (text: string, terms: string[]) => terms.every((term) => text.includes(term))

/** How many are how well; each leads to its own list. */
function counts(all: Charger[], wanted: Health | undefined): HTMLElement {
  const item = (to: string, name: string, count: number, current: boolean, mark: Node | null) =>
    h('a', { href: to, class: 'count', 'aria-current': current ? 'true' : null, 'data-testid': 'count-' + (to.split('/')[2] ?? 'all') }, h('b', {}, number(count)), h('span', {}, mark, name))
  return h('nav', { class: 'counts', 'aria-label': words.fleet.byHealth },
    item('#/chargers', words.fleet.all, all.length, !wanted, null),
    ...HEALTHS.map((health) => item('#/chargers/' + health, words.fleet.health[health] ?? health, all.filter((charger) => charger.health === health).length, wanted === health, healthMark(health))))
}

function newcomers(state: State, unknown: Charger[]): HTMLElement {
  const now = state.stream.now()
  const item = (charger: Charger) => h('li', { 'data-key': charger.charger_id },
    h('a', { href: '#/charger/' + encodeURIComponent(charger.charger_id) }, charger.charger_id), h('span', { class: 'quiet' }, [charger.vendor, charger.model, charger.address && words.fleet.fromAddress(charger.address), charger.last_seen && words.fleet.seen(relative(charger.last_seen, now))].filter(Boolean).join(' · ')),
    state.may('adopt') && h('a', { class: 'primary', href: '#/adopt/' + encodeURIComponent(charger.charger_id), 'aria-label': words.fleet.adoptThis(charger.charger_id) }, words.fleet.adopt))
  return h('section', { class: 'newcomers', hidden: !unknown.length, 'aria-label': words.fleet.newcomers(unknown.length), 'data-testid': 'newcomers' },
    h('h2', {}, healthMark('quarantined'), words.fleet.newcomers(unknown.length)), h('p', { class: 'quiet small' }, words.fleet.newcomersNote), h('ul', {}, ...unknown.slice(0, NEWCOMERS).map(item)),
    unknown.length > NEWCOMERS && h('a', { href: '#/chargers/quarantined' }, words.fleet.newcomersAll(number(unknown.length))))
}

function pager(from: number, count: number, go: (from: number) => void): HTMLElement {
  const { page, earlier, later } = words.fleet
  return h('nav', { class: 'pager', hidden: count <= ROWS, 'aria-label': words.fleet.pager },
    h('button', { class: 'plain', disabled: from === 0, onclick: () => go(from - ROWS) }, earlier), h('span', { class: 'quiet' }, page(number(from + 1), number(Math.min(from + ROWS, count)), number(count))),
    h('button', { class: 'plain', disabled: from + ROWS >= count, onclick: () => go(from + ROWS) }, later))
}
