/** One charger: who it is, how it is, what it says and what it is told. */

import { Problem } from '../../shared/api'
import { h, patchChildren, skeleton } from '../../shared/dom'
import { dayAndClock, NONE, number, relative } from '../../shared/format'
import { said, words } from '../../shared/words'
import { wrong } from '../../shared/wrong'
import type { State, View } from '../state'
import { fleetApi, type ChargerDetail, type Connector } from './api'
import { Commands } from './commands'
import { confirmed } from './confirm'
import { healthWord } from './health'
import { MessageLog } from './log'
import { notices } from './notices'
import { linkText, protocolOf } from './rows'
import { SchedulePart } from './schedule'
import { listenTo } from './stream'
import { Upkeep } from './upkeep'

export function chargerPage(state: State, chargerId: string): View {
  const head = h('div', {}, skeleton(5)), log = new MessageLog(chargerId), commands = new Commands(state, chargerId)
  const schedule = new SchedulePart(state, chargerId), upkeep = new Upkeep(state, chargerId)
  const side = h('div', { class: 'charger-side' }, head, commands.element, schedule.element, upkeep.element)
  const element = h('section', { class: 'page charger-page', 'data-testid': 'charger' }, h('p', {}, h('a', { href: '#/chargers' }, '‹ ' + words.fleet.back)), h('div', { class: 'charger-columns' }, side, log.element))
  commands.element.hidden = true
  const show = (charger: ChargerDetail) => {
    patchChildren(head, [identity(state, charger, retire), problems(charger), connectors(state, charger), notices(state, charger)])
    commands.element.hidden = false
    for (const part of [commands, schedule, upkeep]) part.show(charger)
  }
  const retire = async () => {
    if (!(await confirmed(words.fleet.retireAsk(chargerId), words.fleet.retireYes))) return
    try {
      await fleetApi.retire(chargerId)
      show(await fleetApi.charger(chargerId))
    } catch (error) {
      head.append(h('p', { class: 'bad', role: 'alert' }, wrong(error)))
    }
  }
  const gone = (error: unknown) => {
    stop()
    element.replaceChildren(h('p', {}, h('a', { href: '#/chargers' }, '‹ ' + words.fleet.back)), h('p', { class: 'empty', role: 'alert' }, error instanceof Problem && error.status === 404 ? words.fleet.gone(chargerId) : wrong(error)))
  }
  void fleetApi.charger(chargerId).then(show, gone)
  const deafen = listenTo(chargerId, {
    onOpen: () => { log.cut(false); void log.renew() },
    onCut: () => log.cut(true),
    onMessage: (message) => log.add(message),
    onState: show,
  })
  const stop = () => { deafen(); schedule.stop() }
  return { element, stop, find: () => log.focus(), up: '#/chargers' }
}

function identity(state: State, charger: ChargerDetail, retire: () => Promise<void>): HTMLElement {
  const now = state.stream.now()
  const fact = (name: string, value: Node | string | null) => h('div', {}, h('dt', {}, name), h('dd', {}, value || NONE))
  const date = (at: string | null) => at && h('span', { title: dayAndClock(at) }, relative(at, now))
  const place = charger.station_id ? h('a', { href: '#/station/' + encodeURIComponent(charger.station_id) }, state.nameOf(charger.station_id)) : words.fleet.unplaced
  return h('header', { class: 'charger-head' },
    h('div', { class: 'charger-title' }, h('h1', { 'data-testid': 'charger-name' }, charger.charger_id), healthWord(charger.health), state.may('adopt') && (charger.state === 'adopted'
      ? h('button', { class: 'plain', onclick: () => void retire(), 'data-testid': 'retire' }, words.fleet.retire)
      : h('a', { class: 'primary', href: '#/adopt/' + encodeURIComponent(charger.charger_id), 'data-testid': 'adopt' }, words.fleet.adopt))),
    charger.state !== 'adopted' && h('p', { class: 'amber' }, charger.state === 'retired' ? words.fleet.retiredNote : words.fleet.quarantineNote),
    h('dl', { class: 'facts' },
      fact(words.fleet.maker, [charger.vendor, charger.model].filter(Boolean).join(' ')), fact(words.fleet.serial, charger.serial), fact(words.fleet.firmware, charger.firmware), fact(words.fleet.version, protocolOf(charger.version)),
      fact(words.fleet.station, place), fact(words.fleet.connection, charger.connected ? linkText(charger, now) : words.fleet.notConnected + ' · ' + linkText(charger, now).textContent), fact(words.fleet.address, charger.address),
      fact(words.fleet.profile, words.fleet.profiles[charger.security_profile]?.[0] ?? null), fact(words.fleet.certificate, date(charger.certificate_expires)), fact(words.fleet.first, date(charger.first_seen)), fact(words.fleet.sessions, number(charger.open_sessions))))
}

function problems({ problems: list }: ChargerDetail): HTMLElement {
  return h('div', { class: 'problems' }, h('h2', {}, words.fleet.problems), list.length ? h('ul', { class: 'problem-list' }, ...list.map((problem) => h('li', { lang: 'en' }, problem))) : h('p', { class: 'quiet' }, words.fleet.noProblems))
}

function connectors(state: State, charger: ChargerDetail): HTMLElement {
  const item = (each: Connector) => h('li', { 'data-key': each.evse_id || each.connector },
    h('b', {}, charger.version === 'ocpp1.6' || !charger.version ? words.fleet.connector(String(each.connector)) : words.fleet.evse(each.connector)),
    h('span', {}, said(words.statuses, each.status), each.info && h('span', { class: 'amber' }, ' · ' + each.info)), h('span', { class: 'quiet small' }, [each.evse_id, each.at && words.fleet.statusSince(relative(each.at, state.stream.now()))].filter(Boolean).join(' · ')))
  return h('div', { class: 'connectors' }, h('h2', {}, words.fleet.connectors), charger.connectors.length ? h('ul', {}, ...charger.connectors.map(item)) : h('p', { class: 'quiet' }, words.fleet.noConnectors))
}
