/** Three cards: minutes, amount, battery on arrival, how sure, and one line of why. */

import type { City, Decision, Offer, Recommendation, Sort } from '../shared/api'
import { h } from '../shared/dom'
import { clock, kilometres, minutes, money, share } from '../shared/format'
import { whyNot } from '../shared/whyNot'
import { words } from '../shared/words'
import { choice } from './ask'

const WORTH_SAYING_MIN = 1
const WORTH_SAYING_CNY = 0.5
const ORDER: Record<Sort, (offer: Offer) => number> = { soonest: totalMin, cheapest: (offer) => Number(offer.amount), nearest: (offer) => offer.drive_min }

export const inOrder = (offers: Offer[], sort: Sort) => [...offers].sort((a, b) => ORDER[sort](a) - ORDER[sort](b))

interface Shown { city: City; decision: Decision; sort: Sort; resort: (sort: Sort) => void; hold: (offer: Offer) => void; change: () => void }

export function offerCards({ city, decision, sort, resort, hold, change }: Shown): HTMLElement {
  const offers = inOrder(decision.offers, sort)
  const back = h('button', { class: 'soft', onclick: change, 'data-testid': 'change' }, words.change)
  if (!offers.length) return h('div', { class: 'sheet-body', 'data-testid': 'no-offers' }, h('h1', {}, words.noOffers), h('p', { class: 'quiet' }, words.noOffersHint), h('p', { class: 'quiet small', lang: 'en' }, decision.why), back)
  const nameOf = (offer: Offer) => city.stations.find((each) => each.station_id === offer.station_id)?.name ?? offer.station_id
  return h('div', { class: 'sheet-body', 'data-testid': 'offers' },
    h('div', { class: 'between' }, h('h1', { tabindex: -1 }, offers.length === 1 ? words.offerOne : words.offersTitle(String(offers.length))), back),
    choice('resort', words.sortBy, Object.entries(words.sorts), sort, (value) => resort(value as Sort)),
    h('ol', { class: 'cards' }, ...offers.map((offer, n) => card(offer, n, nameOf(offer), decision, () => hold(offer)))))
}

function card(offer: Offer, n: number, name: string, decision: Decision, hold: () => void): HTMLElement {
  const best = offer.station_id === decision.chosen?.station_id
  const leg = (kind: string, value: number, word: string) => Math.round(value) > 0 && h('span', { class: kind, style: `flex-grow:${Math.max(value, totalMin(offer) * 0.16)}` }, h('b', {}, String(Math.round(value))), ' ' + word)
  const wait = offer.wait_min < 0.5 ? (offer.wait_p90_min < 0.5 ? words.noWaitAtAll : words.noWait(minutes(offer.wait_p90_min))) : words.sure(minutes(offer.wait_min), minutes(offer.wait_p90_min))
  return h('li', { class: 'card' + (best ? ' best' : ''), 'data-testid': 'card', 'data-station': offer.station_id },
    h('div', { class: 'card-head' }, h('i', { class: 'nth', 'aria-hidden': 'true' }, String(n + 1)), h('h2', {}, name), best && h('span', { class: 'tag' }, words.ourPick)),
    h('div', { class: 'card-figures' }, h('p', {}, h('b', { class: 'big' }, minutes(Math.round(offer.drive_min) + Math.round(offer.wait_min) + Math.round(offer.charge_min))), ' ', h('span', { class: 'quiet' }, words.total)), h('b', { class: 'big', 'data-testid': 'amount' }, money(offer.amount))),
    h('p', { class: 'legs' }, leg('drive', offer.drive_min, words.driving), leg('wait', offer.wait_min, words.waiting), leg('charge', offer.charge_min, words.charging)),
    h('p', { class: 'small' }, [kilometres(offer.drive_km), words.arrival(share(offer.arrival_soc)), wait].join(' · ')),
    h('p', { class: 'because', 'data-testid': best ? null : 'why-not' }, because(offer, decision.chosen)),
    h('button', { class: best ? 'go' : 'go second', onclick: hold, 'data-testid': 'hold', 'aria-label': words.holdAt(name) }, words.hold))
}

function totalMin(offer: Offer): number {
  return offer.drive_min + offer.wait_min + offer.charge_min
}

/** Of the best pick, that it is; of the others, what is gained by them, and why they are not the pick. */
function because(offer: Offer, best: Offer | null): string {
  if (!best || offer.station_id === best.station_id) return words.pickBest
  const less = (of: (offer: Offer) => number) => of(best) - of(offer)
  const cost = less((each) => Number(each.amount)), time = less(totalMin), drive = less((each) => each.drive_min), wait = less((each) => each.wait_min)
  const gain = cost >= WORTH_SAYING_CNY ? words.pickSaves(money(cost)) : time >= WORTH_SAYING_MIN ? words.pickTime(minutes(time)) : drive >= WORTH_SAYING_MIN ? words.pickNearer(minutes(drive)) : wait >= WORTH_SAYING_MIN ? words.pickLessWait(minutes(wait)) : ''
  return gain ? gain + words.but + whyNot(offer, best) : words.queueing.whyNot(whyNot(offer, best))
}

/** "Not now": what waiting would save. */
export function notNowCard({ not_now: advice }: Recommendation, soc: number, later: () => void, anyway: () => void): HTMLElement {
  const at = clock(advice.cheaper_from ?? '')
  const cheaper = Number(advice.saves) >= WORTH_SAYING_CNY ? words.notNowCheaper(money(advice.saves)) : ''
  const sooner = advice.saves_min >= WORTH_SAYING_MIN ? words.notNowSooner(minutes(advice.saves_min)) : ''
  return h('div', { class: 'sheet-body', 'data-testid': 'not-now' }, h('h1', { tabindex: -1 }, words.notNowTitle), h('p', { class: 'lead' }, words.notNow(share(soc), at) + cheaper + sooner),
    h('button', { class: 'go', onclick: later, 'data-testid': 'later' }, words.later), h('button', { class: 'go second', onclick: anyway, 'data-testid': 'anyway' }, words.showAnyway))
}
