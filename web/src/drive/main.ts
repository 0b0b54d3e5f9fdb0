/** The driver's page: ask, offers, held; one sheet below one map. */

import '../shared/base.css'
import './drive.css'
import { api, patiently, Problem, type City, type Offer, type Recommendation } from '../shared/api'
import { h, skeleton } from '../shared/dom'
import { clock, setTimeZone } from '../shared/format'
import { whoIsAsking } from '../shared/login'
import { queueApi } from '../shared/queue'
import { hasWebGl } from '../shared/webgl'
import { language, switchLanguage, words } from '../shared/words'
import { askForm } from './ask'
import { setClock } from './clock'
import { Hold } from './hold'
import { inOrder, notNowCard, offerCards } from './offers'
import type { PlaceMap } from './place'
import { firstAnswers, heldBefore, rememberAnswers, type Held } from './state'

const RETRY_MS = 3000

async function main(): Promise<void> {
  const app = document.getElementById('app') as HTMLElement
  const first = h('p', { class: 'starting', role: 'status' }, words.loading)
  app.replaceChildren(first)
  try {
    await whoIsAsking(app, (problem) => (first.textContent = problem.status ? words.starting : words.noReply))
  } catch (error) {
    return void (first.textContent = words.failed(String(error)))
  }
  const sheet = h('main', { class: 'sheet', id: 'main' }, h('div', { class: 'sheet-body' }, h('p', { role: 'status' }, words.loading), skeleton(6)))
  const mapBox = h('div', { class: 'map', 'data-testid': 'map' })
  app.replaceChildren(
    h('header', { class: 'bar' }, h('a', { href: './', title: words.console }, h('img', { src: './icon.svg', alt: 'Chargeloop', width: 28, height: 28 })), h('button', { class: 'soft', onclick: switchLanguage, 'aria-label': words.switchTo, 'data-testid': 'language', lang: language === 'en' ? 'zh-CN' : 'en' }, words.languageSwitch)),
    mapBox, sheet)
  const notice = sheet.querySelector('p') as HTMLElement
  try {
    const city = await patiently(api.city, (problem) => (notice.textContent = problem.status ? words.starting : words.noReply))
    setTimeZone(city.time_zone)
    document.title = `${words.driverTitle} · ${city.name}`
    await setClock()
    new Drive(city, sheet, mapBox).start()
  } catch (error) {
    notice.textContent = words.failed(error instanceof Problem ? error.detail : String(error))
  }
}

class Drive {
  private readonly answers
  private map: PlaceMap | null = null
  private atMap: (map: PlaceMap) => void = () => {}
  private reserved: Hold | null = null

  constructor(private readonly city: City, private readonly sheet: HTMLElement, private readonly mapBox: HTMLElement) {
    this.answers = firstAnswers(city)
  }

  start(): void {
    const held = heldBefore()
    if (held) this.held(held)
    else this.ask()
    if (!hasWebGl()) return void (this.mapBox.hidden = true)
    void import('./place').then(({ PlaceMap }) => PlaceMap.in(this.mapBox, this.city, this.answers.lon, this.answers.lat)).then((map) => {
      map.onMove = (lon, lat) => this.place(lon, lat)
      this.map = map
      this.atMap(map)
    }).catch((error: unknown) => { console.warn(error); this.mapBox.hidden = true })
  }

  private show(content: HTMLElement, onMap: (map: PlaceMap) => void): void {
    this.sheet.replaceChildren(content)
    this.sheet.scrollTop = 0
    scrollTo(0, 0)
    content.querySelector<HTMLElement>('h1[tabindex]')?.focus({ preventScroll: true })
    this.atMap = onMap
    if (this.map) onMap(this.map)
  }

  private ask(note = ''): void {
    this.show(askForm({ answers: this.answers, city: this.city, note, locate: () => this.locate(), find: () => void this.find() }), (map) => map.ask())
  }

  private place(lon: number, lat: number): void {
    this.answers.lon = lon
    this.answers.lat = lat
    rememberAnswers(this.answers)
  }

  private locate(): void {
    const note = this.sheet.querySelector('.where span') as HTMLElement
    const [west, south, east, north] = this.city.bounds
    note.textContent = words.locating
    if (!navigator.geolocation) return void (note.textContent = words.locateDenied)
    navigator.geolocation.getCurrentPosition(({ coords: { longitude, latitude } }) => {
      const outside = longitude < west - 0.1 || longitude > east + 0.1 || latitude < south - 0.1 || latitude > north + 0.1
      note.textContent = outside ? words.locateOutside : words.whereHint
      if (outside) return
      this.place(longitude, latitude)
      this.map?.moveTo(longitude, latitude)
    }, () => (note.textContent = words.locateDenied), { timeout: 8000 })
  }

  private async find(): Promise<void> {
    const { answers } = this
    rememberAnswers(answers)
    this.show(h('div', { class: 'sheet-body', 'aria-busy': 'true' }, h('p', { role: 'status' }, words.finding), skeleton(9)), () => {})
    try {
      await setClock()
      const found = await api.recommend({ lon: answers.lon, lat: answers.lat, soc: answers.soc, model_id: answers.modelId, target_soc: Math.max(0.8, answers.soc), stay_min: answers.stayMin, current: answers.current, sort: answers.sort })
      if (found.not_now.advised) this.show(notNowCard(found, answers.soc, () => this.later(found), () => this.offers(found)), () => {})
      else this.offers(found)
    } catch (error) {
      this.failed(error, () => void this.find())
    }
  }

  private later(found: Recommendation): void {
    this.ask(words.laterDone(clock(found.not_now.cheaper_from ?? '')))
  }

  private offers(found: Recommendation): void {
    const { decision } = found
    const resort = (sort: typeof this.answers.sort) => { this.answers.sort = sort; rememberAnswers(this.answers); this.offers(found) }
    this.show(offerCards({ city: this.city, decision, sort: this.answers.sort, resort, hold: (offer) => void this.hold(found, offer), change: () => this.ask() }), (map) => map.offers(inOrder(decision.offers, this.answers.sort)))
  }

  private async hold({ decision }: Recommendation, offer: Offer): Promise<void> {
    this.show(h('div', { class: 'sheet-body', 'aria-busy': 'true' }, h('p', { role: 'status' }, words.holding), skeleton(5)), () => {})
    try {
      const { reservation, route } = await api.reserve(decision.decision_id, offer.station_id)
      this.held({ reservation: await queueApi.reservation(reservation.reservation_id), route, decision })
    } catch (error) {
      this.failed(error, () => this.ask())
    }
  }

  private held(held: Held): void {
    this.reserved?.stop()
    this.reserved = new Hold({ city: this.city, sheet: this.sheet, show: (content, onMap) => this.show(content, onMap), ask: () => this.ask() }, held)
  }

  /** Say what went wrong and what to do next. */
  private failed(error: unknown, again: () => void): void {
    const status = error instanceof Problem ? error.status : -1, detail = error instanceof Problem ? error.detail : String(error)
    const text = { 0: words.problemOffline, 401: words.fleet.expired, 404: words.problem404, 409: words.problem409, 422: words.problem422(detail), 503: words.problem503 }[status] ?? words.failed(detail)
    const next = status === 401 ? () => location.reload() : status === 422 || status === 409 ? () => this.ask() : again
    this.show(h('div', { class: 'sheet-body', 'data-testid': 'problem' }, h('p', { class: 'problem', role: 'alert' }, text), h('button', { class: 'go', onclick: next, 'data-testid': 'again' }, status === 404 ? words.searchAgain : status === 422 || status === 409 ? words.change : words.tryAgain), status === 0 && h('button', { class: 'go second', onclick: () => this.ask() }, words.change)), () => {})
    if (status === 503) setTimeout(next, RETRY_MS)
  }
}

void main()
