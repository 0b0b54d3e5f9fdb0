/** What a driver sees who holds a bay, or a place in the queue for one: one card for each state of it. */

import type { City } from '../shared/api'
import { h } from '../shared/dom'
import { clock, kilometres, kilowattHours, minutes, money, relative } from '../shared/format'
import type { ReservationDetail } from '../shared/queue'
import { said, words } from '../shared/words'
import { afterCard } from './after'
import { cityNow } from './clock'
import type { Held } from './state'

const SOON_MS = 45_000

/** What the cards' buttons do; `busy`: one of them is at it, `problem`: what went wrong with the last one. */
export interface Doing {
  busy: boolean; problem: string; answerS: number
  answer: (answer: 'accept' | 'snooze' | 'decline') => void; arrived: () => void; cancel: () => void; move: () => void; keep: () => void; again: () => void
}

export function heldCard(city: City, held: Held, doing: Doing): HTMLElement {
  const { reservation } = held
  if (reservation.state === 'used') return afterCard(nameOf(city, reservation.station_id), reservation, doing.again)
  if (reservation.state !== 'held') return closed(city, reservation, doing)
  if (reservation.answer_by) return offered(city, held, doing)
  return reservation.evse_id ? bay(city, held, doing) : inLine(city, held, doing)
}

export const nameOf = (city: City, stationId: string) => city.stations.find((each) => each.station_id === stationId)?.name ?? stationId

/** What has changed that the driver has not been told yet: each with a key, by which it is remembered as told. */
export function changes({ reservation, kept = [] }: Held): string[] {
  const { lost, lost_evse_id, better, evse_id } = reservation
  const all = [lost && !evse_id && `lost ${lost_evse_id}`, better && `better ${better.offer.station_id}`]
  return all.filter((key): key is string => Boolean(key) && !kept.includes(key as string))
}

function closed(city: City, reservation: ReservationDetail, doing: Doing): HTMLElement {
  return h('div', { class: 'sheet-body', 'data-testid': 'closed' }, h('h1', { tabindex: -1 }, nameOf(city, reservation.station_id)), h('p', { class: 'lead', role: 'status' }, said(words.queueing.ended, reservation.state)), h('button', { class: 'go', onclick: doing.again, 'data-testid': 'again' }, words.newSearch))
}

function bay(city: City, held: Held, doing: Doing): HTMLElement {
  const { reservation } = held
  return h('div', { class: 'sheet-body', 'data-testid': 'held' },
    h('p', { class: 'tag' }, words.heldTitle), h('h1', { tabindex: -1 }, nameOf(city, reservation.station_id)), bayNumber(reservation.evse_id ?? ''), trip(held),
    h('p', { 'data-testid': 'expires' }, words.expires(relative(reservation.expires_at, cityNow()), clock(reservation.expires_at))),
    h('p', { class: 'quiet' }, words.plugIn), problem(doing), h('button', { class: 'go second', disabled: doing.busy, onclick: doing.cancel, 'data-testid': 'cancel' }, words.cancel))
}

function inLine(city: City, held: Held, doing: Doing): HTMLElement {
  const { reservation } = held, { queueing } = words, now = cityNow()
  const resting = reservation.rests_until && Date.parse(reservation.rests_until) > now
  const start = reservation.start_at ? Date.parse(reservation.start_at) : null
  const expected = start === null ? queueing.expectedUnknown : start < now + SOON_MS ? queueing.expectedNow : queueing.expected(relative(reservation.start_at ?? '', now), clock(start))
  const there = reservation.arrive_at !== null && Date.parse(reservation.arrive_at) <= now
  return h('div', { class: 'sheet-body', 'data-testid': 'queued' },
    changeCard(city, held, doing),
    h('p', { class: 'tag' }, words.queuedTitle), h('h1', { tabindex: -1 }, nameOf(city, reservation.station_id)),
    h('div', { class: 'bay-number' }, h('b', { 'data-testid': 'place' }, reservation.place === 1 ? queueing.next : queueing.place(String(reservation.place ?? '–'), String(reservation.in_line ?? '–'))), h('span', { class: 'quiet', 'data-testid': 'expected' }, expected)),
    h('p', {}, resting ? queueing.resting(clock(reservation.rests_until ?? '')) : queueing.told(minutes(doing.answerS / 60))), trip(held),
    h('p', { class: 'quiet', 'data-testid': 'expires' }, queueing.keptUntil(clock(reservation.expires_at))), problem(doing),
    there ? h('p', { class: 'quiet', 'data-testid': 'there' }, '✓ ', queueing.hereDone) : h('button', { class: 'go second', disabled: doing.busy, onclick: doing.arrived, 'data-testid': 'arrived' }, queueing.here),
    h('button', { class: 'go second', disabled: doing.busy, onclick: doing.cancel, 'data-testid': 'cancel' }, queueing.leave))
}

function offered(city: City, held: Held, doing: Doing): HTMLElement {
  const { reservation } = held, { queueing } = words, left = Math.max(0, (Date.parse(reservation.answer_by ?? '') - cityNow()) / 1000)
  const snoozes = reservation.snoozes_left ?? 0, text = `${Math.floor(left / 60)}:${String(Math.floor(left % 60)).padStart(2, '0')}`
  return h('div', { class: 'sheet-body', 'data-testid': 'offer' },
    h('p', { class: 'tag', role: 'alert' }, queueing.offerTitle), h('h1', { tabindex: -1 }, nameOf(city, reservation.station_id)), bayNumber(reservation.evse_id ?? ''),
    h('div', { class: 'countdown' }, h('p', {}, h('b', { 'data-testid': 'countdown' }, queueing.answerWithin(text))), h('i', { class: 'countdown-bar', 'aria-hidden': 'true' }, h('i', { style: `width:${Math.min(100, (left / doing.answerS) * 100)}%` })), h('p', { class: 'quiet small' }, snoozes ? queueing.silence : queueing.noSnooze)),
    problem(doing),
    h('button', { class: 'go', disabled: doing.busy, onclick: () => doing.answer('accept'), 'data-testid': 'accept' }, queueing.accept),
    snoozes > 0 && h('button', { class: 'go second', disabled: doing.busy, onclick: () => doing.answer('snooze'), 'data-testid': 'snooze' }, queueing.snooze, h('small', {}, queueing.snoozesLeft(snoozes))),
    h('button', { class: 'go second', disabled: doing.busy, onclick: () => doing.answer('decline'), 'data-testid': 'decline' }, queueing.leave))
}

/** One card, one reason: go elsewhere, or keep the place. */
function changeCard(city: City, held: Held, doing: Doing): HTMLElement | false {
  const { queueing } = words, { reservation } = held, { better, lost } = reservation, told = changes(held)
  if (!told.length) return false
  const isLost = told[0]?.startsWith('lost'), name = better ? nameOf(city, better.offer.station_id) : ''
  const total = better ? Math.round(better.offer.drive_min + better.offer.wait_min + better.offer.charge_min) : 0
  const reason = isLost ? queueing.bayLost(reservation.lost_evse_id ?? '', queueing.lost[lost ?? ''] ?? '') : reservation.start_at === null ? queueing.betterOnly(name) : queueing.better(name, minutes(staysMin(held) - total))
  return h('section', { class: 'changed', role: 'alert', 'data-testid': 'changed' }, h('h2', {}, queueing.changed), h('p', {}, reason),
    better && h('p', { class: 'quiet small' }, `${name}: ${queueing.betterFacts(minutes(total), money(better.offer.amount))}`),
    h('div', { class: 'pair' }, h('button', { class: 'go', disabled: doing.busy, onclick: better ? doing.move : doing.again, 'data-testid': better ? 'move' : 'search-again' }, better ? queueing.go(name) : queueing.lookElsewhere), h('button', { class: 'go second', disabled: doing.busy, onclick: doing.keep, 'data-testid': 'keep' }, queueing.keep)))
}

/** Until charged here: what is left of the wait, and the charge. */
function staysMin({ reservation, decision }: Held): number {
  const here = decision.offers.find((offer) => offer.station_id === reservation.station_id)
  return (Date.parse(reservation.start_at ?? '') - cityNow()) / 60_000 + (here?.charge_min ?? reservation.better?.offer.charge_min ?? 0)
}

const bayNumber = (evseId: string) => h('div', { class: 'bay-number' }, h('span', { class: 'quiet' }, words.bayNumber), h('b', { 'data-testid': 'bay' }, evseId))
const problem = ({ problem: text }: Doing) => text !== '' && h('p', { class: 'problem', role: 'alert' }, text)

function trip({ reservation, route }: Held): HTMLElement {
  const arrives = Date.parse(reservation.made_at) + route.properties.seconds * 1000
  return h('dl', { class: 'trip' },
    h('div', {}, h('dt', {}, words.driving), h('dd', {}, minutes(route.properties.seconds / 60), h('small', {}, kilometres(route.properties.metres / 1000)))),
    h('div', {}, h('dt', {}, words.wayEnergy), h('dd', {}, kilowattHours(route.properties.energy_kwh), h('small', {}, words.arriveAt(clock(arrives))))))
}
