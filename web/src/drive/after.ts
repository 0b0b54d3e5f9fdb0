/** While charging and afterwards: energy, the bill line by line, what was promised and what it came to, and what proves it. */

import { h } from '../shared/dom'
import { clock, kilowattHours, minutes, money } from '../shared/format'
import type { Afterwards, ReservationDetail } from '../shared/queue'
import { said, words } from '../shared/words'

export function afterCard(name: string, reservation: ReservationDetail, again: () => void): HTMLElement {
  const after = reservation.afterwards, { queueing } = words
  const isOver = Boolean(after?.amount)
  return h('div', { class: 'sheet-body', 'data-testid': 'after' },
    h('p', { class: 'tag' }, isOver ? queueing.done : queueing.charging), h('h1', { tabindex: -1 }, name),
    after && h('dl', { class: 'trip' },
      h('div', {}, h('dt', {}, queueing.wait), h('dd', { 'data-testid': 'waited' }, minutes(after.wait_min ?? 0), h('small', {}, waited(after)))),
      h('div', {}, h('dt', {}, queueing.energy), h('dd', {}, kilowattHours(after.energy_kwh), h('small', {}, isOver ? clock(after.ended_at ?? '') : queueing.soFar)))),
    after && isOver ? bill(after) : h('p', { class: 'lead', role: 'status' }, words.used),
    h('button', { class: 'go second', onclick: again, 'data-testid': 'again' }, words.newSearch))
}

const waited = ({ promised_wait_min: promised, wait_min: took }: Afterwards) =>
  promised === null ? '' : took === null ? words.queueing.promisedOnly(minutes(promised)) : words.queueing.promisedTook(minutes(promised), minutes(took))

function bill(after: Afterwards): HTMLElement {
  const { queueing } = words, verified = after.notes.some((note) => note === 'verified')
  const quantity = (line: Afterwards['lines'][number]) => (line.dimension === 'idle' ? minutes(Number(line.quantity)) : kilowattHours(Number(line.quantity)))
  const row = (line: Afterwards['lines'][number]) => h('tr', {}, h('th', { scope: 'row' }, said(queueing.dimensions, line.dimension)), h('td', {}, `${quantity(line)} × ${money(line.unit_price)}`), h('td', { class: 'num' }, money(line.amount)))
  const others = after.notes.filter((note) => note !== 'verified')
  return h('section', { class: 'bill', 'data-testid': 'bill' }, h('h2', {}, queueing.bill),
    h('table', {}, h('tbody', {}, ...after.lines.map(row)), h('tfoot', {}, h('tr', {}, h('th', { scope: 'row' }, queueing.sum), h('td', { class: 'quiet' }, after.promised_amount === null ? '' : queueing.promisedAmount(money(after.promised_amount))), h('td', { class: 'num' }, h('b', {}, money(after.amount ?? 0)))))),
    h('p', { class: 'small' }, h('b', {}, queueing.proof + ' '), verified ? '✓ ' + queueing.verified : queueing.unsigned),
    others.length > 0 && h('p', { class: 'small', lang: 'en' }, `${queueing.notes}: ${others.join('; ')}`), h('p', { class: 'small' }, queueing.session(after.session_id)))
}

