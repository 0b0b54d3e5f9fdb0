/** The console: one frame, the map as its page, a panel beside it for whatever is opened, by hash routes. */

import '../shared/base.css'
import './console.css'
import './fleet/fleet.css'
import './queue.css'
import { api, patiently, Problem, session, type Route } from '../shared/api'
import { h, skeleton } from '../shared/dom'
import { clockSeconds, setTimeZone } from '../shared/format'
import { whoIsAsking } from '../shared/login'
import { hasWebGl } from '../shared/webgl'
import { language, switchLanguage, words } from '../shared/words'
import { accountMenu, loginAgain } from './account'
import type { CityMap } from './cityMap'
import { decisionList } from './decisions'
import { hourSlider } from './hours'
import { kpiStrip } from './kpis'
import { fullPage, navigation } from './pages'
import { search } from './search'
import { State, type View } from './state'
import { stationPanel } from './station'
import { stationTable } from './table'
import { whyPanel } from './why'

async function main(): Promise<void> {
  const app = document.getElementById('app') as HTMLElement
  const notice = h('p', {}, words.loading)
  const starting = h('div', { class: 'starting', role: 'status' }, notice, skeleton(4))
  const wait = (problem: Problem) => (notice.textContent = problem.status ? words.starting : words.noReply)
  app.replaceChildren(starting)
  try {
    const me = await whoIsAsking(app, wait)
    if (!me.may.includes('see')) return location.replace('drive') // a driver's account
    app.replaceChildren(starting)
    const city = await patiently(api.city, wait)
    setTimeZone(city.time_zone)
    document.title = `${city.name} · Chargeloop`
    frame(app, new State(city, me))
  } catch (error) {
    notice.textContent = error instanceof Problem ? (error.status === 403 ? words.fleet.noRight : words.failed(error.detail)) : words.failed(String(error))
  }
}

function frame(app: HTMLElement, state: State): void {
  const finder = search(state), kpis = kpiStrip(state), table = stationTable(state), webGl = hasWebGl()
  const help = helpDialog(state.city.note), again = loginAgain(state), pages = navigation(state)
  const nav = h('nav', { 'aria-label': words.pages }, ...pages.map(({ to, name }) => h('a', { href: to }, name)), h('a', { href: 'drive', class: 'away' }, words.driverPage))
  const status = h('span', { class: 'status', role: 'status', 'data-testid': 'status' }, words.waitingForServer)
  const time = h('time', { class: 'city-time', title: words.cityTime })
  const mapBox = h('div', { class: 'map', 'data-testid': 'map' })
  const mapTab = h('button', { 'data-testid': 'show-map', onclick: () => showTable(false) }, words.map), tableTab = h('button', { 'data-testid': 'show-table', onclick: () => showTable(true) }, words.table)
  const panel = h('aside', { class: 'panel', 'data-testid': 'panel' }), page = h('div', { class: 'full', hidden: true })
  const city = h('div', { class: 'city-view' },
    h('div', { class: 'stage' }, mapBox, table.element, h('div', { class: 'tabs', role: 'group', 'aria-label': words.mapOrTable }, mapTab, tableTab), legend(), hourSlider(state)), panel)
  app.replaceChildren(
    h('a', { class: 'skip', href: '#main', onclick: (event: Event) => { event.preventDefault(); (document.getElementById('main') as HTMLElement).focus() } }, words.skip),
    h('header', { class: 'top' },
      h('a', { class: 'brand', href: '#/', title: state.city.note }, h('img', { src: './icon.svg', alt: '', width: 26, height: 26 }), h('b', {}, state.city.name)), nav, finder.element,
      h('div', { class: 'right' }, time, status, accountMenu(state), h('button', { class: 'plain', onclick: switchLanguage, 'aria-label': words.switchTo, 'data-testid': 'language', lang: language === 'en' ? 'zh-CN' : 'en' }, words.languageSwitch), h('button', { class: 'plain', onclick: () => help.showModal(), 'aria-label': words.help, 'data-testid': 'help' }, '?'))),
    kpis.element, h('main', { id: 'main', tabindex: -1 }, city, page), help, again.dialog)

  let map: CityMap | null = null, view: View | null = null, pendingRoute: Route | null = null
  const showTable = (wanted: boolean) => {
    table.element.hidden = !wanted
    mapBox.hidden = wanted
    city.classList.toggle('as-table', wanted)
    mapTab.setAttribute('aria-pressed', String(!wanted))
    tableTab.setAttribute('aria-pressed', String(wanted))
    if (!wanted) map?.resize()
  }
  const showRoute = (route: Route | null) => { pendingRoute = route; map?.route(route) }
  const open = () => {
    const [, kind = '', id = '', text = ''] = location.hash.split('/').map(decodeURIComponent)
    const whole = fullPage(state, kind, id, text), full = whole !== null
    view?.stop?.()
    const next = whole ? whole.make() : kind === 'station' ? stationPanel(state, id) : kind === 'why' ? whyPanel(state, id, showRoute) : decisionList(state)
    view = next
    city.hidden = full
    page.hidden = !full
    document.body.dataset.page = kind || 'city'
    const wide = kind === 'station' || kind === 'why'
    const changed = panel.classList.contains('wide') !== wide
    panel.classList.toggle('wide', wide)
    if (full) page.replaceChildren(next.element)
    else panel.replaceChildren(...(wide ? [h('div', { class: 'close' }, h('a', { href: '#/', 'aria-label': words.close, title: 'Esc', 'data-testid': 'close' }, '✕'))] : []), next.element)
    if (!full) page.replaceChildren()
    panel.scrollTop = page.scrollTop = 0
    if (changed || full) map?.resize()
    map?.select(kind === 'station' ? id : null)
    for (const link of nav.querySelectorAll('a')) {
      if (link.getAttribute('href') === (whole?.under ?? '#/')) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    }
  }

  showTable(!webGl)
  mapTab.hidden = !webGl
  if (!webGl) table.element.prepend(h('p', { class: 'empty' }, words.noWebGl))
  else void import('./cityMap').then(({ CityMap }) => CityMap.in(mapBox, state)).then((made) => {
    map = made
    map.onSelect = (id) => (location.hash = '#/station/' + encodeURIComponent(id))
    const [, kind, id = ''] = location.hash.split('/').map(decodeURIComponent)
    if (kind === 'station') map.select(id)
    if (pendingRoute) map.route(pendingRoute)
  }).catch((error: unknown) => { console.warn(error); showTable(true) })
  addEventListener('hashchange', open)
  addEventListener('keydown', (event) => {
    const page = pages[Number(event.key) - 1]
    if (isTyping(event)) return
    if (event.key === '/') { event.preventDefault(); (view?.find ?? finder.focus)() }
    else if (event.key === '?') help.showModal()
    else if (event.key === 't' && !city.hidden) showTable(Boolean(table.element.hidden))
    else if (event.key === 'Escape' && !document.querySelector('dialog[open], :popover-open')) location.hash = view?.up ?? '#/'
    else if (page) location.hash = page.to
  })
  session.onExpired = again.show
  setInterval(() => tellAge(state, status, time), 1000)
  state.on('link', () => tellAge(state, status, time))
  state.on('live', () => tellAge(state, status, time))
  open()
  state.start()
}

function tellAge(state: State, status: HTMLElement, time: HTMLTimeElement): void {
  const { stream } = state
  document.documentElement.dataset.link = stream.link
  const seconds = Math.round(stream.ageS()), age = seconds < 120 ? words.secondsShort(seconds) : words.minutesShort(Math.round(seconds / 60))
  const text = stream.link === 'live' ? words.ageNow(age) : stream.link === 'cut' ? (state.live ? words.cutSince(age) : words.cut) : words.waitingForServer
  if (status.textContent !== text) status.textContent = text
  if (stream.link === 'live') time.textContent = clockSeconds(stream.now())
}

function isTyping(event: KeyboardEvent): boolean {
  return (event.target as HTMLElement).matches('input:not([type=range], [type=checkbox], [type=radio]), select, textarea, dialog[open] *') || event.ctrlKey || event.metaKey || event.altKey
}

function helpDialog(note: string): HTMLDialogElement {
  const dialog = h('dialog', { class: 'help', 'aria-label': words.help },
    h('h1', {}, words.help), h('dl', {}, ...words.keys.map(([name, does]) => h('div', {}, h('dt', {}, h('kbd', {}, name)), h('dd', {}, does)))),
    h('h2', {}, words.aboutData), h('p', { class: 'quiet', lang: 'en' }, note), h('form', { method: 'dialog' }, h('button', { class: 'plain' }, words.close)))
  return dialog
}

function legend(): HTMLElement {
  const item = (kind: string, text: string) => h('li', {}, h('i', { class: kind, 'aria-hidden': 'true' }), text)
  return h('ul', { class: 'legend', 'aria-label': words.legend }, item('area', words.legendBays), item('fill', words.legendBusy), item('ring', words.legendQueue), item('dead', words.legendOut), item('glow', words.legendHeat), item('short', words.outlook.legendShort), item('stopped', words.outlook.legendStopped))
}

void main()
