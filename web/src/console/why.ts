/** One decision: the sentence, what was weighed, what was promised and what happened, and the way on the map. */

import { api, Problem, type DecisionDetail, type Offer, type Route } from '../shared/api'
import { h, patchChildren, skeleton } from '../shared/dom'
import { clock, clockSeconds, dayAndClock, kilometres, kilowattHours, minutes, minutesOr, money, moneySigned, NONE, relative, share } from '../shared/format'
import { whyNot } from '../shared/whyNot'
import { said, words } from '../shared/words'
import { replaySection } from './replay'
import { sentence } from './sentence'
import type { State, View } from './state'

const RENEW_MS = 5000

export function whyPanel(state: State, decisionId: string, showRoute: (route: Route | null) => void): View {
  const element = h('section', { class: 'panel-body', 'data-testid': 'why' }, skeleton(8))
  const replay = replaySection(state, decisionId)
  let way: Route | null | 'none' = null
  const show = (detail: DecisionDetail) => { replay.fill(detail); patchChildren(element, [...content(state, detail, way), replay.element]) }
  const renew = async () => {
    try {
      const detail = await api.decision(decisionId)
      show(detail)
      if (way === null && detail.decision.chosen) {
        way = await api.route(decisionId, detail.decision.chosen.station_id).catch(() => 'none' as const)
        if (!stopped && way !== 'none') showRoute(way)
        show(detail)
      }
      if (detail.outcome) clearInterval(timer)
    } catch (error) {
      if (error instanceof Problem && error.status === 404) element.replaceChildren(h('p', { class: 'empty' }, words.decisionGone))
    }
  }
  let stopped = false
  const timer = setInterval(() => void renew(), RENEW_MS)
  void renew()
  return { element, stop: () => { stopped = true; clearInterval(timer); showRoute(null) } }
}

function content(state: State, { decision, outcome, taken }: DecisionDetail, way: Route | null | 'none'): HTMLElement[] {
  const { chosen, request, offers } = decision
  const model = state.city.models.find((each) => each.model_id === request?.model_id)
  const compared = chosen && !offers.some((offer) => offer.station_id === chosen.station_id) ? [chosen, ...offers] : offers
  return [
    h('header', { class: 'panel-head' }, h('h1', {}, words.whyTitle), h('p', { class: 'quiet small' }, `${decision.decision_id} · ${relative(decision.at, state.stream.now())} · ${decision.solver}`)),
    h('p', { class: 'sentence', 'data-testid': 'sentence' }, sentence(decision, (id) => state.nameOf(id))),
    chosen ? h('p', {}, h('a', { class: 'plain', href: '#/station/' + encodeURIComponent(chosen.station_id) }, words.opens(state.nameOf(chosen.station_id)))) : h('p', { class: 'quiet', lang: 'en' }, decision.why),
    ...(request ? [h('dl', { class: 'facts' },
      fact(words.asked, h('time', { title: clockSeconds(request.at) }, dayAndClock(request.at))), fact(words.vehicle, model?.name ?? request.model_id),
      fact(words.battery, words.toSoc(share(request.soc), share(request.target_soc))), fact(words.leaveBy, clock(request.depart_by)))] : []),
    ...(way && way !== 'none' ? [h('h2', {}, words.routeTo), h('p', { 'data-testid': 'route-facts' }, words.routeFacts(kilometres(way.properties.metres / 1000), minutes(way.properties.seconds / 60), kilowattHours(way.properties.energy_kwh)), way.properties.on_roads ? '' : ` · ${words.straight}`)] : []),
    ...(chosen ? [h('h2', {}, words.promised), ...(taken && taken.station_id !== chosen.station_id ? [h('p', {}, words.accountable.tookOther(state.nameOf(taken.station_id)))] : []), happened(taken ?? chosen, outcome)] : []),
    ...(compared.length ? [h('h2', {}, words.termsTitle), termTable(state, compared, chosen), h('p', { class: 'quiet small' }, words.termsNote)] : []),
  ]
}

const fact = (name: string, value: Node | string) => h('div', {}, h('dt', {}, name), h('dd', {}, value))

function happened(chosen: Pick<Offer, 'wait_min' | 'wait_p90_min' | 'amount'>, outcome: DecisionDetail['outcome']): HTMLElement {
  const realised = outcome?.realised_wait_min ?? null
  const verdict = realised === null ? null : realised <= chosen.wait_p90_min + 1
  return h('table', { class: 'figures', 'data-testid': 'outcome' },
    h('thead', {}, h('tr', {}, h('td'), h('th', { scope: 'col', class: 'num' }, words.promise), h('th', { scope: 'col', class: 'num' }, words.happened))),
    h('tbody', {},
      h('tr', {}, h('th', { scope: 'row' }, words.waitWord), h('td', { class: 'num' }, `${minutes(chosen.wait_min)} (≤ ${minutes(chosen.wait_p90_min)})`),
        h('td', { class: 'num' }, realised === null ? words.notYet : minutes(realised), verdict === null ? '' : h('span', { class: verdict ? 'good' : 'bad' }, verdict ? ` ✓ ${words.kept}` : ` ✕ ${words.missed}`))),
      h('tr', {}, h('th', { scope: 'row' }, words.amountWord), h('td', { class: 'num' }, money(chosen.amount)), h('td', { class: 'num' }, outcome?.realised_amount ? money(outcome.realised_amount) : words.notYet))))
}

function termTable(state: State, offers: Offer[], chosen: Offer | null): HTMLElement {
  const isChosen = (offer: Offer) => offer.station_id === chosen?.station_id
  const mark = (offer: Offer) => (isChosen(offer) ? 'num chosen' : 'num')
  const row = (name: string, value: (offer: Offer) => string, kind = '') => h('tr', { class: kind }, h('th', { scope: 'row' }, name), ...offers.map((offer) => h('td', { class: mark(offer) }, value(offer))))
  const names = Object.keys(offers[0]?.terms ?? {})
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': words.termsTitle }, h('table', { class: 'figures terms', 'data-testid': 'terms' },
    h('thead', {}, h('tr', {}, h('td'), ...offers.map((offer) => h('th', { scope: 'col', class: mark(offer) }, h('a', { href: '#/station/' + encodeURIComponent(offer.station_id) }, state.nameOf(offer.station_id)), isChosen(offer) && h('span', { class: 'tag' }, words.chosen))))),
    h('tbody', {},
      row(words.rowDrive, (o) => `${minutes(o.drive_min)} · ${kilometres(o.drive_km)}`), row(words.rowWait, (o) => `${minutesOr(o.wait_min)} (${minutesOr(o.wait_p90_min)})`), row(words.rowCharge, (o) => minutes(o.charge_min)),
      row(words.rowEnergy, (o) => kilowattHours(o.energy_kwh)), row(words.rowArrival, (o) => share(o.arrival_soc)), row(words.rowAmount, (o) => money(o.amount)),
      ...names.map((name, n) => row(said(words.termNames, name), (o) => (o.terms[name] === undefined ? NONE : moneySigned(o.terms[name])), n === 0 ? 'first' : 'term')),
      row(words.objective, (o) => moneySigned(o.score), 'sum'),
      ...(chosen ? [row(words.whyLost, (o) => (isChosen(o) ? NONE : whyNot(o, chosen)), 'lost')] : []))))
}
