/** A decision made again from what it was made from: sliders for a few weights, then and now side by side. */

import { api, type Decision, type DecisionDetail, type Offer, type Replayed } from '../shared/api'
import { h } from '../shared/dom'
import { minutes, money, moneySigned, NONE, number } from '../shared/format'
import { said, words } from '../shared/words'
import { wrong } from '../shared/wrong'
import { sentence } from './sentence'
import type { State } from './state'

/** What a slider moves: weights of the objective by the names that the server has for them. */
const SLIDERS: Record<string, readonly string[]> = {
  value_of_time: ['value_of_time'], amount: ['amount'], wait_risk: ['wait_risk'], utilisation: ['empty_bonus', 'full_penalty'], others_per_h: ['others_per_h'], regional_load_per_kwh: ['regional_load_per_kwh'],
}
const STEPS = [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10] as const
const AS_IT_WAS = STEPS.indexOf(1)

/** One element for as long as the decision is open; `fill` is told of it each time it is read. */
export function replaySection(state: State, decisionId: string): { element: HTMLElement; fill: (detail: DecisionDetail) => void } {
  const places = new Map(Object.keys(SLIDERS).map((name) => [name, AS_IT_WAS]))
  const result = h('div', { class: 'stack', 'data-testid': 'replay-result', 'aria-live': 'polite' })
  const resets: (() => void)[] = []
  const slider = (name: string) => {
    const shown = h('output', { class: 'num' }), input = h('input', { type: 'range', min: 0, max: STEPS.length - 1, step: 1, value: AS_IT_WAS, 'aria-label': said(words.accountable.weights, name), 'data-testid': 'weight-' + name, oninput: () => put(Number(input.value)) })
    const put = (place: number) => { places.set(name, place); input.value = String(place); shown.textContent = words.accountable.times(number(STEPS[place] ?? 1, Number.isInteger(STEPS[place]) ? 0 : 2)); input.setAttribute('aria-valuetext', shown.textContent) }
    put(AS_IT_WAS)
    resets.push(() => put(AS_IT_WAS))
    return h('label', { class: 'weight' }, h('span', {}, said(words.accountable.weights, name)), input, shown)
  }
  const outage = h('input', { type: 'checkbox', 'data-testid': 'replay-outage' }), outageName = h('span', {}), outageLabel = h('label', { class: 'check' }, outage, outageName)
  const button = h('button', { class: 'plain', 'data-testid': 'replay-run', onclick: () => void run() }, words.accountable.run)
  const form = h('div', { class: 'stack' }, h('p', { class: 'quiet small' }, words.accountable.replayNote), ...Object.keys(SLIDERS).map(slider), outageLabel,
    h('div', { class: 'line' }, button, h('button', { class: 'plain', onclick: () => { resets.forEach((reset) => reset()); outage.checked = false; result.replaceChildren() } }, words.accountable.reset)), result)
  const none = h('p', { class: 'empty' }, words.accountable.notKept)
  const element = h('details', { class: 'replay', 'data-key': 'replay', 'data-testid': 'replay' }, h('summary', {}, words.accountable.replay), form, none)
  let chosen: Offer | null = null

  const run = async () => {
    const weights = Object.fromEntries([...places].filter(([, place]) => place !== AS_IT_WAS).flatMap(([name, place]) => (SLIDERS[name] ?? []).map((weight) => [weight, 'x' + STEPS[place]])))
    button.disabled = true
    try {
      result.replaceChildren(...compared(state, await api.replay(decisionId, { weights, outages: outage.checked && chosen ? [chosen.station_id] : [] })))
    } catch (error) {
      result.replaceChildren(h('p', { class: 'empty', role: 'alert' }, wrong(error)))
    }
    button.disabled = false
  }
  const fill = (detail: DecisionDetail) => {
    chosen = detail.decision.chosen
    form.hidden = !detail.can_replay
    none.hidden = detail.can_replay
    outageLabel.hidden = !chosen
    if (chosen) outageName.textContent = words.accountable.outage(state.nameOf(chosen.station_id))
  }
  return { element, fill }
}

function compared(state: State, { then, now, exact, requests, moved }: Replayed): HTMLElement[] {
  const name = (id: string) => state.nameOf(id), both = [then, now]
  const row = (label: string, value: (offer: Offer) => string, kind = '') => h('tr', { class: kind }, h('th', { scope: 'row' }, label), ...both.map((each, n) => h('td', { class: n ? 'num chosen' : 'num' }, each.chosen ? value(each.chosen) : NONE)))
  const terms = Object.keys(then.chosen?.terms ?? now.chosen?.terms ?? {})
  const headline = !now.chosen ? words.accountable.nothingLeft : now.chosen.station_id === then.chosen?.station_id ? words.accountable.sameChoice : words.accountable.otherChoice(name(now.chosen.station_id))
  return [
    h('p', { 'data-testid': 'replay-headline' }, h('b', {}, headline), requests > 1 ? ` ${words.accountable.together(number(moved), number(requests))}` : ''),
    h('p', { class: 'sentence' }, sentence(now as Decision, name)),
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': words.accountable.replay }, h('table', { class: 'figures terms', 'data-testid': 'replay-table' },
      h('thead', {}, h('tr', {}, h('td'), h('th', { scope: 'col', class: 'num' }, words.accountable.then), h('th', { scope: 'col', class: 'num chosen' }, words.accountable.now))),
      h('tbody', {},
        row(words.accountable.stationRow, (o) => name(o.station_id)), row(words.rowDrive, (o) => minutes(o.drive_min)), row(words.rowWait, (o) => `${minutes(o.wait_min)} (${minutes(o.wait_p90_min)})`), row(words.rowCharge, (o) => minutes(o.charge_min)), row(words.rowAmount, (o) => money(o.amount)),
        ...terms.map((term, n) => row(said(words.termNames, term), (o) => moneySigned(o.terms[term] ?? 0), n === 0 ? 'first' : 'term')), row(words.objective, (o) => moneySigned(o.score), 'sum')))),
    h('p', { class: exact ? 'quiet small' : 'amber small' }, exact ? words.accountable.exact : words.accountable.notExact),
  ]
}
