/** The columns of the fleet list: what a row shows, how it sorts, what it says in a file. */

import type { Cell } from '../../shared/csv'
import { h } from '../../shared/dom'
import { dayAndClock, NONE, number, relative } from '../../shared/format'
import { words } from '../../shared/words'
import type { State } from '../state'
import { HEALTHS, type Charger } from './api'
import { healthWord } from './health'

export const COLUMNS = ['health', 'charger', 'station', 'version', 'firmware', 'security', 'link', 'sessions', 'problems'] as const
export type Column = (typeof COLUMNS)[number]

const makerOf = (charger: Charger) => [charger.vendor, charger.model].filter(Boolean).join(' ')
export const protocolOf = (version: string | null) => (version ? 'OCPP ' + version.replace('ocpp', '') : NONE)

export function sortKey(state: State, charger: Charger, column: Column): Cell {
  const keys: Record<Column, Cell> = {
    health: HEALTHS.indexOf(charger.health), charger: charger.charger_id, station: state.nameOf(charger.station_id) || null, version: charger.version,
    firmware: charger.firmware || null, security: charger.security_profile, link: charger.connected ? charger.connected_since : charger.last_seen && ' ' + charger.last_seen,
    sessions: charger.open_sessions, problems: charger.problems.length,
  }
  return keys[column]
}

/** What a search looks through. */
export const textOf = (state: State, charger: Charger): string =>
  [charger.charger_id, state.nameOf(charger.station_id), charger.station_id, makerOf(charger), charger.serial, charger.firmware, protocolOf(charger.version), charger.address, ...charger.evse_ids, ...charger.problems].join('\n').toLowerCase()

export function linkText(charger: Charger, now: number): HTMLElement {
  const at = charger.connected ? charger.connected_since : charger.last_seen
  const text = !at ? words.fleet.neverSeen : charger.connected ? words.fleet.since(relative(at, now)) : words.fleet.seen(relative(at, now))
  return h('span', { title: at ? dayAndClock(at) : null }, text)
}

const adoptLink = ({ charger_id: id }: Charger) => h('a', { href: '#/adopt/' + encodeURIComponent(id), 'aria-label': words.fleet.adoptThis(id) }, words.fleet.adopt)

export function chargerRow(state: State, charger: Charger): HTMLElement {
  const [first, ...more] = charger.problems
  const cell = (column: Column, ...children: (Node | string | false)[]) => h('td', { class: column + (column === 'sessions' ? ' num' : '') }, ...children)
  return h('tr', { 'data-key': charger.charger_id, 'data-testid': 'charger-row' },
    cell('health', healthWord(charger.health)),
    cell('charger', h('a', { href: '#/charger/' + encodeURIComponent(charger.charger_id) }, charger.charger_id), h('small', { class: 'quiet' }, makerOf(charger))),
    cell('station', charger.state !== 'adopted' && state.may('adopt') ? adoptLink(charger) : state.nameOf(charger.station_id) || NONE, charger.state !== 'adopted' && h('small', { class: 'quiet' }, words.fleet.states[charger.state] ?? '')),
    cell('version', protocolOf(charger.version)), cell('firmware', charger.firmware || NONE), cell('security', String(charger.security_profile)),
    cell('link', linkText(charger, state.stream.now())), cell('sessions', number(charger.open_sessions)),
    cell('problems', first ?? '', more.length > 0 && h('small', { class: 'quiet', title: more.join('\n') }, ' ' + words.fleet.more(number(more.length)))))
}

export function csvLines(state: State, chargers: Charger[]): Cell[][] {
  const { csv, health, states, yes, no } = words.fleet
  return [
    Object.values(csv),
    ...chargers.map((charger) => [
      health[charger.health] ?? '', states[charger.state] ?? '', charger.charger_id, state.nameOf(charger.station_id), charger.evse_ids.join(' '), charger.vendor, charger.model, charger.serial,
      charger.firmware, charger.version, charger.security_profile, charger.connected ? yes : no, charger.connected_since, charger.last_seen, charger.address, charger.open_sessions, charger.problems.join('; '),
    ]),
  ]
}
