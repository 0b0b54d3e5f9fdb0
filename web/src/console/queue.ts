/** Who waits for a bay, who is being asked, today's waits and no-shows by station, and the rules, which operators may change. */

import { arrows, h, patchChildren, skeleton } from '../shared/dom'
import { clock, clockSeconds, minutes, minutesOr, NONE, number, relative } from '../shared/format'
import { queueApi, type QueuedDriver, type QueuePicture, type QueuePolicy, type StationQueue } from '../shared/queue'
import { said, words } from '../shared/words'
import { wrong } from '../shared/wrong'
import type { State, View } from './state'

const RENEW_MS = 3000
const SHAPES: Record<QueuedDriver['phase'], string> = { waiting: '○', resting: '◌', offered: '◐', held: '●' }
/** Field, its words, factor to the unit shown, least and most in it, as the server has them. */
const FIELDS: [name: keyof QueuePolicy, word: keyof typeof words.queueing.policy, unit: number, least: number, most: number][] = [
  ['answer_s', 'answer', 60, 0.5, 60], ['snoozes', 'snoozes', 1, 0, 20], ['snooze_s', 'snooze', 60, 1, 120], ['plug_in_s', 'plugIn', 60, 1, 120], ['near_s', 'near', 60, 0, 120], ['keep_s', 'keep', 60, 5, 1440],
]

export function queuePage(state: State): View {
  const { queueing } = words
  const body = h('div', { class: 'queue-body' }, skeleton(10)), rules = h('section', { class: 'rules' }, h('h2', {}, queueing.rules))
  const element = h('section', { class: 'page queue', 'data-testid': 'queue' },
    h('header', { class: 'page-head' }, h('div', {}, h('h1', {}, queueing.title), h('p', { class: 'quiet' }, queueing.note))), h('div', { class: 'queue-columns' }, body, rules))
  let last = 0, stopped = false, form: HTMLElement | null = null
  arrows(body, 'a')
  const renew = async () => {
    if (Date.now() - last < RENEW_MS) return
    last = Date.now()
    try {
      const picture = await queueApi.picture()
      if (stopped) return
      patchChildren(body, content(state, picture))
      if (!form) rules.append(form = policyForm(state, picture.policy))
    } catch (error) {
      if (!form) body.replaceChildren(h('p', { class: 'empty', role: 'alert' }, wrong(error)))
    }
  }
  void renew()
  const stop = state.on('live', () => void renew())
  return { element, stop: () => { stopped = true; stop() } }
}

function content(state: State, picture: QueuePicture): HTMLElement[] {
  const { queueing } = words, { today } = picture
  return [
    h('dl', { class: 'counts', 'data-testid': 'queue-counts' },
      figure(queueing.inQueue, number(picture.waiting), queueing.joined(number(picture.joined_today)), 'in-queue'), figure(queueing.asked, number(picture.offered)), figure(queueing.held, number(picture.held)),
      figure(queueing.waitsToday, minutesOr(today.mean_min), today.p95_min === null ? queueing.noneToday : queueing.meanP95(minutes(today.p95_min)), 'waits'), figure(queueing.noShows, number(today.no_shows), queueing.ofDrivers(number(today.drivers)))),
    h('h2', {}, queueing.drivers),
    picture.drivers.length ? driverTable(state, picture.drivers) : h('div', { class: 'empty' }, h('p', {}, queueing.empty), h('p', { class: 'small' }, queueing.emptyHint)),
    h('h2', {}, queueing.stations),
    picture.stations.length ? stationTable(state, picture.stations) : h('p', { class: 'empty' }, queueing.noneToday),
    ...(Object.keys(picture.ended).length ? [h('h2', {}, queueing.endsTitle), h('ul', { class: 'ends' }, ...Object.entries(picture.ended).sort(([, a], [, b]) => b - a).map(([end, count]) => h('li', {}, h('b', {}, number(count)), ' ', said(queueing.ends, end))))] : []),
  ]
}

const figure = (name: string, value: string, note = '', id = '') =>
  h('div', { class: 'count', 'data-testid': id ? 'queue-' + id : null }, h('dt', {}, name), h('dd', {}, h('b', {}, value), note !== '' && h('small', { class: 'quiet' }, note)))

const head = (names: [string, boolean?][]) => h('thead', {}, h('tr', {}, ...names.map(([name, isNumber]) => h('th', { scope: 'col', class: isNumber ? 'num' : null }, name))))
const station = (state: State, id: string) => h('a', { href: '#/station/' + encodeURIComponent(id) }, state.nameOf(id))

function driverTable(state: State, drivers: QueuedDriver[]): HTMLElement {
  const { columns, phases, emergency } = words.queueing, now = state.stream.now()
  const row = (driver: QueuedDriver) => h('tr', { 'data-key': String(driver.reservation_id), 'data-testid': 'queued-driver' },
    h('td', { class: 'num' }, driver.place === null ? NONE : number(driver.place)),
    h('td', {}, station(state, driver.station_id), h('small', { class: 'quiet' }, ` ${driver.current ?? ''}`)),
    h('td', { class: driver.phase === 'offered' ? 'amber' : '' }, h('span', { 'aria-hidden': 'true' }, SHAPES[driver.phase] + ' '), phases[driver.phase] ?? driver.phase, driver.tier === 'emergency' && h('small', { class: 'amber' }, ` ${emergency}`)),
    h('td', {}, driver.evse_id ?? NONE), h('td', { title: clockSeconds(driver.since) }, relative(driver.since, now)), h('td', { title: relative(driver.until, now) }, clock(driver.until)),
    h('td', { class: 'num' }, number(driver.snoozes)), h('td', { class: 'num' }, number(driver.no_shows_before)))
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': words.queueing.drivers }, h('table', { class: 'figures' },
    head([[columns.place, true], [columns.station], [columns.state], [columns.bay], [columns.since], [columns.until], [columns.snoozes, true], [columns.before, true]]), h('tbody', {}, ...drivers.map(row))))
}

function stationTable(state: State, stations: StationQueue[]): HTMLElement {
  const { columns } = words.queueing
  const row = (each: StationQueue) => h('tr', { 'data-key': each.station_id },
    h('th', { scope: 'row' }, station(state, each.station_id)), ...[number(each.waiting + each.offered), number(each.held), number(each.drivers), minutesOr(each.mean_min), minutesOr(each.p95_min), number(each.no_shows)].map((text) => h('td', { class: 'num' }, text)))
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': words.queueing.stations }, h('table', { class: 'figures' },
    head([[columns.station], [columns.waiting, true], [columns.held, true], [columns.drivers, true], [columns.mean, true], [columns.p95, true], [columns.noShows, true]]), h('tbody', {}, ...stations.map(row))))
}

function policyForm(state: State, policy: QueuePolicy): HTMLElement {
  const { queueing } = words, may = state.may('queue')
  let known = policy
  const inputs = FIELDS.map(([name, , unit, least, most]) => h('input', { type: 'number', name, min: least, max: most, step: unit === 1 ? 1 : 0.5, required: true, disabled: !may, value: policy[name] / unit, 'data-testid': 'policy-' + name }))
  const status = h('p', { class: 'small', role: 'status', 'data-testid': 'policy-status' }), button = h('button', { class: 'primary', 'data-testid': 'policy-save' }, queueing.save)
  const save = async (event: Event) => {
    event.preventDefault()
    const wanted = Object.fromEntries(FIELDS.map(([name, , unit], n) => [name, Number(inputs[n]?.value) * unit])) as unknown as QueuePolicy
    if (FIELDS.every(([name]) => wanted[name] === known[name])) return void (status.textContent = queueing.unchanged)
    button.disabled = true
    try {
      known = await queueApi.setPolicy(wanted)
      status.textContent = queueing.saved
    } catch (error) {
      status.textContent = queueing.refused(wrong(error))
    }
    button.disabled = false
  }
  const field = ([name, word, unit]: (typeof FIELDS)[number], n: number) => h('label', { class: 'rule' }, h('span', {}, queueing.policy[word], h('small', { class: 'quiet' }, queueing.policy[`${word}Note` as keyof typeof queueing.policy])), h('span', { class: 'rule-value' }, inputs[n] ?? name, h('span', { class: 'quiet' }, unit === 1 ? queueing.times : queueing.minutes)))
  return h('form', { class: 'policy', onsubmit: (event: Event) => void save(event), 'data-testid': 'policy' }, ...FIELDS.map(field), may ? h('p', { class: 'quiet small' }, queueing.rulesNote) : h('p', { class: 'quiet small' }, queueing.mayNot), may && button, status)
}
