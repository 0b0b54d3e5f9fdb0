/** What a charger told last of its firmware, its logs, and anything else that is only to be known. */

import { h } from '../../shared/dom'
import { dayAndClock, relative } from '../../shared/format'
import { words } from '../../shared/words'
import type { State } from '../state'
import type { ChargerDetail, Notice } from './api'
import { pretty } from './log'

export function notices(state: State, charger: ChargerDetail): HTMLElement {
  const { fleet } = words, { firmware_status: firmware, diagnostics_status: diagnostics } = charger
  const others = charger.notices.filter(({ action }) => ![firmware?.action, diagnostics?.action].includes(action))
  const when = (notice: Notice) => h('time', { class: 'quiet small', datetime: notice.at, title: dayAndClock(notice.at) }, relative(notice.at, state.stream.now()))
  const status = (name: string, notice: Notice | null) => notice && h('div', { 'data-key': name }, h('dt', {}, name), h('dd', {}, h('b', { lang: 'en' }, notice.text), ' ', when(notice)))
  const other = (notice: Notice) => h('li', { 'data-key': notice.action }, h('details', {}, h('summary', {}, h('span', { lang: 'en' }, notice.action), ' ', when(notice)), h('pre', { tabindex: 0 }, pretty(notice.text))))
  return h('section', { class: 'notices', hidden: !charger.notices.length, 'data-testid': 'notices' }, h('h2', {}, fleet.notices),
    h('dl', { class: 'facts', hidden: !firmware && !diagnostics }, status(fleet.firmwareStatus, firmware), status(fleet.diagnosticsStatus, diagnostics)), h('ul', {}, ...others.map(other)))
}
