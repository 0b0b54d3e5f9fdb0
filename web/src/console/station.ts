/** One station: bays, queue, waits, power, sessions to their deadlines, prices, what was and what led drivers here. */

import { api, Problem, type Bay, type HourPrice, type Pool, type StationDetail } from '../shared/api'
import { h, patchChildren, skeleton, svg } from '../shared/dom'
import { clock, dayAndClock, hourOf, kilowattHours, kilowatts, minutes, minutesOr, money, number, relative, share } from '../shared/format'
import { said, words } from '../shared/words'
import { decisionLine } from './decisions'
import type { State, View } from './state'

const RENEW_MS = 2500
const HOUR_MS = 3600_000
const LONGEST_AHEAD_H = 8
const TONE: Record<string, string> = { available: 'free', charging: 'busy', preparing: 'busy', finishing: 'busy', suspended_ev: 'held', suspended_evse: 'held', reserved: 'held', unavailable: 'out', faulted: 'out' }

export function stationPanel(state: State, stationId: string): View {
  const element = h('section', { class: 'panel-body', 'data-testid': 'station' }, skeleton(10))
  let busy = false, last = 0, stopped = false
  const renew = async () => {
    if (busy || Date.now() - last < RENEW_MS) return
    busy = true
    try {
      const detail = await api.station(stationId)
      if (!stopped) patchChildren(element, content(state, detail))
      last = Date.now()
    } catch (error) {
      if (error instanceof Problem && error.status === 404) element.replaceChildren(h('p', { class: 'empty' }, words.notFound(stationId)))
    }
    busy = false
  }
  void renew()
  const stop = state.on('live', () => void renew())
  return { element, stop: () => { stopped = true; stop() } }
}

function content(state: State, detail: StationDetail): HTMLElement[] {
  const { station, bays } = detail
  const now = state.stream.now()
  const plugged = bays.filter((bay) => bay.session)
  return [
    h('header', { class: 'panel-head' }, h('h1', { 'data-testid': 'station-name' }, station.name), h('p', { class: 'quiet small' }, `${station.station_id} · ${station.operator_id} · ${words.zone} ${station.zone_id} · ${said(words.siteTypes, station.site_type)}`)),
    h('div', { class: 'pools' }, ...detail.pools.map(poolCard)),
    h('h2', {}, words.powerOfLimit),
    h('p', { class: 'line' }, h('b', {}, kilowatts(detail.load_kw)), h('span', { class: 'quiet' }, ` ${words.ofLimit(kilowatts(detail.limit_kw))} · ${words.otherLoad}`)),
    meter(detail.load_kw / detail.limit_kw),
    h('h2', {}, words.bays),
    h('ul', { class: 'bays', 'data-testid': 'bays' }, ...bays.map(bayItem)),
    ...(state.may('chargers') ? [h('p', {}, h('a', { href: '#/chargers/at/' + encodeURIComponent(station.station_id) }, words.fleet.atStation))] : []),
    h('h2', {}, words.sessions),
    plugged.length ? sessionBars(plugged, now) : h('p', { class: 'empty' }, words.noSessions),
    h('h2', {}, words.prices),
    ...priceChart(detail.prices, hourOf(now)),
    h('h2', {}, words.sentHere),
    h('p', {}, h('a', { href: '#/promises/station/' + encodeURIComponent(station.station_id), 'data-testid': 'to-promises' }, words.accountable.atStation)),
    detail.decisions.length ? h('ul', { class: 'decisions' }, ...detail.decisions.slice(0, 8).map((decision) => decisionLine(state, decision, false))) : h('p', { class: 'empty' }, words.noneSent),
    h('h2', {}, words.recent),
    recent(detail, now),
  ]
}

function meter(part: number): HTMLElement {
  const tone = part > 1 ? 'bad' : part > 0.8 ? 'tight' : ''
  return h('div', { class: 'meter wide ' + tone, role: 'meter', 'aria-valuenow': Math.round(part * 100), 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-label': words.powerOfLimit }, h('i', { style: `width:${Math.min(100, part * 100)}%` }), part > 0.8 && h('em', {}, `${share(part)} · ${part > 1 ? words.overLimit : words.tight}`))
}

function poolCard(pool: Pool): HTMLElement {
  const wait = (name: string, value: number | null, n: number) => {
    const [low, high] = pool.wait_bands_min[n] ?? [null, null]
    const band = low === null || high === null || high < 0.5 ? '' : h('small', { class: 'quiet', title: words.waitBand }, `${number(low)}–${minutes(high)}`)
    return h('div', {}, h('dt', {}, name), h('dd', {}, minutesOr(value), band))
  }
  return h('div', { class: 'pool', 'data-key': pool.current },
    h('h3', {}, pool.current === 'DC' ? words.fast : words.slow),
    h('p', {}, words.freeOf(number(pool.free), number(pool.bays))),
    h('p', { class: pool.queue ? 'amber' : 'quiet' }, `${words.queueOf(number(pool.queue))} · ${words.inboundOf(number(pool.inbound))}`),
    pool.wait_now_min === null ? h('p', { class: 'quiet' }, words.noBay) : h('dl', { class: 'waits', 'aria-label': words.expectedWait }, wait(words.now, pool.wait_now_min, 0), wait(words.in30, pool.wait_30_min, 1), wait(words.in60, pool.wait_60_min, 2)))
}

function bayItem(bay: Bay): HTMLElement {
  const tone = TONE[bay.status] ?? 'out'
  const extra = bay.session ? kilowatts(bay.power_now_kw) : bay.reserved_until ? words.reservedUntil(clock(bay.reserved_until)) : bay.connected ? '' : words.offline
  return h('li', { 'data-key': bay.evse_id, class: 'bay ' + tone, title: `${bay.evse_id} · ${bay.current} ${kilowatts(bay.power_kw)}${bay.ocpp ? ' · ' + words.ocpp : ''}` },
    h('i', { class: 'mark', 'aria-hidden': 'true' }), h('span', { class: 'bay-id' }, bay.evse_id.split('-').at(-1) ?? bay.evse_id, h('small', {}, `${bay.current} ${number(bay.power_kw)}`)), h('span', { class: 'bay-word' }, said(words.statuses, bay.status)), h('span', { class: 'quiet small' }, extra))
}

/** Bars on one time axis: from plugging in to the deadline, filled by energy delivered, planned power as steps. */
function sessionBars(bays: Bay[], now: number): HTMLElement {
  const begin = Math.max(now - 2 * HOUR_MS, Math.min(...bays.map((bay) => Date.parse(bay.session?.started_at ?? ''))))
  const ends = bays.map((bay) => Date.parse(bay.session?.depart_by ?? '')).filter(Number.isFinite)
  const end = Math.min(now + LONGEST_AHEAD_H * HOUR_MS, Math.max(now + HOUR_MS, ...ends))
  const x = (at: number) => Math.min(100, Math.max(0, ((at - begin) / (end - begin)) * 100))
  const rows = bays.map((bay) => {
    const session = bay.session
    if (!session) return ''
    const from = x(Date.parse(session.started_at)), until = session.depart_by ? x(Date.parse(session.depart_by)) : 100
    const done = session.charge_ended ? 1 : session.needed_kwh ? Math.min(1, session.energy_kwh / session.needed_kwh) : 0
    const planned = session.plan_start ? Date.parse(session.plan_start) : 0
    const steps = session.plan_kw.map((kw, n) => {
      const left = x(planned + n * session.plan_step_s * 1000), width = x(planned + (n + 1) * session.plan_step_s * 1000) - left
      return svg('rect', { x: left, y: 100 - (kw / bay.power_kw) * 100, width, height: (kw / bay.power_kw) * 100 })
    })
    const words_ = [session.needed_kwh ? words.deliveredOf(number(session.energy_kwh, 1), kilowattHours(session.needed_kwh)) : kilowattHours(session.energy_kwh), session.charge_ended ? words.done : session.plan_kw[0] === undefined ? '' : words.planFrom(kilowatts(session.plan_kw[0])), session.depart_by ? words.leaves(clock(session.depart_by)) : words.leavesUnknown].filter(Boolean).join(' · ')
    return h('li', { 'data-key': session.session_id, class: 'session' },
      h('span', { class: 'bay-id' }, bay.evse_id.split('-').at(-1) ?? bay.evse_id),
      h('div', { class: 'track', title: session.depart_by ? relative(session.depart_by, now) : words.leavesUnknown },
        h('i', { class: 'stay' + (session.depart_by ? '' : ' unknown'), style: `left:${from}%;width:${Math.max(1, until - from)}%` }, h('i', { class: 'done', style: `width:${done * 100}%` })),
        svg('svg', { class: 'plan', viewBox: '0 0 100 100', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, ...steps),
        h('i', { class: 'now', style: `left:${x(now)}%` })),
      h('span', { class: 'session-words quiet small' }, words_))
  })
  const marks = [begin, (begin + end) / 2, end].map((at) => h('span', {}, clock(at)))
  return h('div', { class: 'sessions' }, h('ul', { 'data-testid': 'sessions' }, ...rows), h('div', { class: 'axis quiet small', 'aria-hidden': 'true' }, ...marks), h('p', { class: 'quiet small' }, words.sessionsNote))
}

function priceChart(prices: HourPrice[], hour: number): HTMLElement[] {
  const total = (price: HourPrice) => Number(price.energy) + Number(price.service)
  const top = Math.max(...prices.map(total)), current = prices.find((price) => price.hour === hour)
  const bar = (price: HourPrice) => h('li', { class: price.hour === hour ? 'on' : '', title: `${price.hour}:00 ${money(total(price))}/kWh (${words.energyPart} ${money(price.energy)}, ${words.servicePart} ${money(price.service)})` },
    h('i', { class: 'service', style: `height:${(Number(price.service) / top) * 100}%` }), h('i', { class: 'energy', style: `height:${(Number(price.energy) / top) * 100}%` }), h('span', { class: 'sr' }, `${price.hour}:00 ${money(total(price))}`))
  return [
    h('p', { class: 'line' }, current ? h('b', {}, words.priceNow(money(total(current)))) : '', h('span', { class: 'quiet small key' }, h('i', { class: 'energy' }), words.energyPart, h('i', { class: 'service' }), words.servicePart)),
    h('ol', { class: 'prices' }, ...prices.map(bar)),
    h('div', { class: 'axis quiet small', 'aria-hidden': 'true' }, ...['00:00', '06:00', '12:00', '18:00', '24:00'].map((text) => h('span', {}, text))),
  ]
}

function recent({ recent: sessions }: StationDetail, now: number): HTMLElement {
  if (!sessions.length) return h('p', { class: 'empty' }, words.noRecent)
  return h('table', { class: 'figures' },
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, words.bay), h('th', { scope: 'col' }, words.started), h('th', { scope: 'col' }, words.ended), h('th', { scope: 'col', class: 'num' }, words.energyColumn))),
    h('tbody', {}, ...sessions.slice(0, 10).map((session) => h('tr', { 'data-key': session.session_id },
      h('td', {}, session.evse_id.split('-').at(-1) ?? session.evse_id), h('td', { title: dayAndClock(session.started_at) }, relative(session.started_at, now)),
      h('td', {}, session.ended_at ? h('span', { title: dayAndClock(session.ended_at) }, relative(session.ended_at, now)) : words.open), h('td', { class: 'num' }, kilowattHours(session.energy_kwh))))))
}
