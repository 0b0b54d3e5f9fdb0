/** A held bay: its number, the way, how long it is held; and giving it back. */

import type { City, Reservation } from '../shared/api'
import { h } from '../shared/dom'
import { clock, kilometres, kilowattHours, minutes, relative } from '../shared/format'
import { words } from '../shared/words'
import { cityNow } from './clock'
import type { Held } from './state'

export function heldCard(city: City, { reservation, route }: Held, cancel: () => void, again: () => void, problem = ''): HTMLElement {
  const station = city.stations.find((each) => each.station_id === reservation.station_id)
  if (reservation.state !== 'held') return h('div', { class: 'sheet-body', 'data-testid': 'closed' }, h('h1', {}, station?.name ?? ''), h('p', { class: 'lead', role: 'status' }, closedWords(reservation.state)), h('button', { class: 'go', onclick: again, 'data-testid': 'again' }, words.newSearch))
  const arrives = Date.parse(reservation.made_at) + route.properties.seconds * 1000
  return h('div', { class: 'sheet-body', 'data-testid': 'held' },
    h('p', { class: 'tag' }, reservation.evse_id ? words.heldTitle : words.queuedTitle), h('h1', { tabindex: -1 }, station?.name ?? reservation.station_id),
    h('div', { class: 'bay-number' }, h('span', { class: 'quiet' }, words.bayNumber), h('b', { 'data-testid': 'bay', class: reservation.evse_id ? '' : 'later' }, reservation.evse_id ?? words.bayLater)),
    h('dl', { class: 'trip' },
      h('div', {}, h('dt', {}, words.driving), h('dd', {}, minutes(route.properties.seconds / 60), h('small', {}, kilometres(route.properties.metres / 1000)))),
      h('div', {}, h('dt', {}, words.wayEnergy), h('dd', {}, kilowattHours(route.properties.energy_kwh), h('small', {}, words.arriveAt(clock(arrives)))))),
    h('p', { 'data-testid': 'expires' }, words.expires(relative(reservation.expires_at, cityNow()), clock(reservation.expires_at))),
    h('p', { class: 'quiet' }, words.plugIn),
    problem && h('p', { class: 'problem', role: 'alert' }, problem),
    h('button', { class: 'go second', onclick: cancel, 'data-testid': 'cancel' }, words.cancel))
}

const closedWords = (state: Reservation['state']) => ({ held: '', used: words.used, cancelled: words.cancelled, expired: words.expiredState })[state]
