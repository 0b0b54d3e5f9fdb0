/** The list of the latest decisions; each opens its "why". */

import type { DecisionSummary } from '../shared/api'
import { arrows, h, patchChildren, skeleton } from '../shared/dom'
import { clockSeconds, minutes, money, relative } from '../shared/format'
import { words } from '../shared/words'
import type { State, View } from './state'

export function decisionLine(state: State, decision: DecisionSummary, named = true): HTMLElement {
  const { drive_min: drive, wait_min: wait, charge_min: charge } = decision
  const parts = drive === null || wait === null || charge === null ? null : [drive, wait, charge].map(Math.round) as [number, number, number]
  return h('li', { 'data-key': decision.decision_id },
    h('a', { class: 'decision', href: '#/why/' + encodeURIComponent(decision.decision_id), 'data-testid': 'decision' },
      h('span', { class: 'decision-top' },
        h('b', {}, named ? state.nameOf(decision.station_id) || words.noStation : parts ? minutes(parts[0] + parts[1] + parts[2]) : words.noStation),
        h('time', { class: 'quiet', datetime: decision.at, title: clockSeconds(decision.at) }, relative(decision.at, state.stream.now()))),
      parts && h('span', { class: 'decision-sum quiet' }, words.sum(minutes(parts[0] + parts[1] + parts[2]), String(parts[0]), String(parts[1]), String(parts[2])), h('span', { class: 'amount' }, money(decision.amount ?? 0)))))
}

export function decisionList(state: State): View {
  const list = h('ul', { class: 'decisions', 'data-testid': 'decisions' }, skeleton(9))
  arrows(list, 'a')
  const show = () => {
    if (!state.decisions.length) list.replaceChildren(h('li', { class: 'empty' }, words.noDecisions))
    else patchChildren(list, state.decisions.map((decision) => decisionLine(state, decision)))
  }
  if (state.decisions.length) show()
  const stops = [state.on('decisions', show), state.on('live', () => { if (state.decisions.length) show() })]
  return { element: h('section', { class: 'panel-body' }, h('h2', {}, words.decisions), list), stop: () => stops.forEach((stop) => stop()) }
}
