/** An unknown charger is given its place, its bays and the way it proves who it is. */

import { api, Problem, type Bay } from '../../shared/api'
import { h, skeleton } from '../../shared/dom'
import { kilowatts } from '../../shared/format'
import { words } from '../../shared/words'
import { wrong } from '../../shared/wrong'
import { stationFinder } from '../search'
import type { State, View } from '../state'
import { fleetApi, type Charger, type ChargerDetail } from './api'
import { adoptedPanel } from './adopted'

const USUAL_PROFILE = 1 // works with every server, also one without TLS

export function adoptPage(state: State, chargerId: string): View {
  const body = h('div', {}, skeleton(8)), up = '#/charger/' + encodeURIComponent(chargerId)
  const element = h('section', { class: 'page adopt', 'data-testid': 'adopt-page' }, h('p', {}, h('a', { href: up }, '‹ ' + chargerId)), body)
  Promise.all([fleetApi.charger(chargerId), fleetApi.chargers()]).then(
    ([charger, all]) => body.replaceChildren(adoptionForm(state, charger, all, (done) => body.replaceChildren(done))),
    (error: unknown) => body.replaceChildren(h('p', { class: 'empty', role: 'alert' }, error instanceof Problem && error.status === 404 ? words.fleet.gone(chargerId) : wrong(error))))
  return { element, up }
}

function adoptionForm(state: State, charger: ChargerDetail, all: Charger[], onDone: (panel: HTMLElement) => void): HTMLFormElement {
  const takenBy = new Map(all.filter((each) => each.state === 'adopted' && each.charger_id !== charger.charger_id).flatMap((each) => each.evse_ids.map((evse) => [evse, each.charger_id] as const)))
  const station = h('p', { class: 'chosen-station', hidden: true }, h('b', { 'data-testid': 'chosen-station' }), ' ', h('span', { class: 'quiet' })), bays = new BayChoice(charger, takenBy)
  let stationId = ''
  const choose = async (id: string) => {
    stationId = id
    station.hidden = false
    station.children[0]?.replaceChildren(state.nameOf(id))
    station.children[1]?.replaceChildren(id)
    bays.offer((await api.station(id)).bays)
  }
  const finder = stationFinder(state, words.search, (id) => void choose(id), 'adopt-station')
  const profile = securityChoice(charger)
  const password = h('input', { type: 'checkbox', checked: true, name: 'password' })
  const passwordBox = h('label', { class: 'check' }, password, h('span', {}, words.fleet.setPassword, h('small', { class: 'quiet' }, ' ' + words.fleet.setPasswordNote)))
  const showPassword = () => (passwordBox.hidden = ![1, 2].includes(profile.value()))
  profile.element.addEventListener('change', showPassword)
  const problem = h('p', { class: 'bad', role: 'alert' }), button = h('button', { class: 'primary', type: 'submit', 'data-testid': 'adopt-do' }, words.fleet.adoptDo)
  const submit = async (event: Event) => {
    event.preventDefault()
    problem.textContent = ''
    const evseIds = bays.chosen()
    if (!stationId || !evseIds) return void (problem.textContent = words.fleet.chooseFirst)
    button.disabled = true
    try {
      const wanted = { station_id: stationId, evse_ids: evseIds, security_profile: profile.value(), set_password: password.checked && !passwordBox.hidden }
      const adopted = await fleetApi.adopt(charger.charger_id, wanted)
      onDone(adoptedPanel(adopted, charger.version))
    } catch (error) {
      problem.textContent = wrong(error)
      button.disabled = false
    }
  }
  showPassword()
  if (charger.station_id) void choose(charger.station_id)
  return h('form', { class: 'adoption', onsubmit: submit },
    h('h1', {}, words.fleet.adoptTitle(charger.charger_id)), h('p', { class: 'quiet' }, [charger.vendor, charger.model, charger.serial, charger.address].filter(Boolean).join(' · ')), h('p', {}, words.fleet.adoptNote),
    h('fieldset', {}, h('legend', {}, words.fleet.where), finder.element, station), bays.element, profile.element, passwordBox, problem, button)
}

/** For each connector a bay; no bay twice, and none that another charger serves. */
class BayChoice {
  readonly element: HTMLElement
  private bays: Bay[] = []
  private selects: HTMLSelectElement[] = []
  private readonly rows = h('div', { class: 'items' })
  private readonly full = h('p', { class: 'amber', role: 'status' })

  constructor(private readonly charger: ChargerDetail, private readonly takenBy: ReadonlyMap<string, string>) {
    this.element = h('fieldset', { hidden: true }, h('legend', {}, words.fleet.bays), this.full, this.rows, h('button', { type: 'button', class: 'plain small', onclick: () => this.add() }, '+ ' + words.fleet.addConnector))
  }

  offer(bays: Bay[]): void {
    this.bays = bays
    this.selects = []
    this.element.hidden = false
    this.full.textContent = bays.every(({ evse_id }) => this.takenBy.has(evse_id)) ? words.fleet.noFreeBay : ''
    const count = Math.max(1, this.charger.connectors.length, this.charger.evse_ids.length)
    for (let n = 0; n < count; n++) this.add(this.charger.evse_ids[n])
  }

  /** The bays in the connectors' order, or null while one is missing. */
  chosen(): string[] | null {
    const values = this.selects.map((select) => select.value)
    return values.length && values.every(Boolean) ? values : null
  }

  private add(wanted?: string): void {
    const select = h('select', { onchange: () => this.draw() })
    this.selects.push(select)
    const taken = new Set([...this.takenBy.keys(), ...this.selects.map((each) => each.value)])
    const free = this.bays.find(({ evse_id }) => evse_id === wanted && !taken.has(evse_id)) ?? this.bays.find(({ evse_id }) => !taken.has(evse_id))
    this.draw()
    if (free) select.value = free.evse_id
    this.draw()
  }

  private draw(): void {
    this.rows.replaceChildren(...this.selects.map((select, n) => {
      const chosen = select.value, others = new Set(this.selects.filter((each) => each !== select).map((each) => each.value))
      const option = ({ evse_id: id, current, power_kw: kw }: Bay) => h('option', { value: id, disabled: this.takenBy.has(id) || others.has(id) }, `${id} · ${current} ${kilowatts(kw)}${this.takenBy.has(id) ? ' · ' + words.fleet.bayTaken(this.takenBy.get(id) ?? '') : ''}`)
      select.replaceChildren(h('option', { value: '' }, words.fleet.chooseBay), ...this.bays.map(option))
      select.value = chosen
      const name = this.charger.version && this.charger.version !== 'ocpp1.6' ? words.fleet.evse(n + 1) : words.fleet.connector(String(n + 1))
      const drop = () => { this.selects.splice(n, 1); this.draw() }
      return h('div', { class: 'item bay-row' }, h('label', { class: 'field' }, h('span', {}, name), select), this.selects.length > 1 && h('button', { type: 'button', class: 'plain small', onclick: drop, 'aria-label': words.fleet.dropConnector(name) }, '✕'))
    }))
  }
}

function securityChoice(charger: Charger): { element: HTMLElement; value: () => number } {
  const first = charger.security_profile || USUAL_PROFILE
  const inputs = words.fleet.profiles.map((_, n) => h('input', { type: 'radio', name: 'profile', value: n, checked: n === first }))
  const element = h('fieldset', { class: 'profiles' }, h('legend', {}, words.fleet.security), ...words.fleet.profiles.map(([name, sentence], n) => h('label', {}, inputs[n], h('span', {}, h('b', {}, name), h('small', { class: 'quiet' }, sentence)))))
  return { element, value: () => inputs.findIndex(({ checked }) => checked) }
}
