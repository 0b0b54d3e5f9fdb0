/** Find a station: type, arrows, Enter. */

import { h } from '../shared/dom'
import { words } from '../shared/words'
import type { State } from './state'

const SHOWN = 8

export function search(state: State): { element: HTMLElement; focus: () => void } {
  const list = h('ul', { class: 'found', role: 'listbox', id: 'found', 'aria-label': words.search, hidden: true })
  const input = h('input', {
    type: 'search', placeholder: words.search, role: 'combobox', 'aria-expanded': 'false', 'aria-controls': 'found', 'aria-label': `${words.search} (${words.searchHint})`,
    autocomplete: 'off', spellcheck: 'false', 'data-testid': 'search', oninput: () => show(), onkeydown: (event: KeyboardEvent) => key(event),
  })
  let at = 0
  const close = () => { list.hidden = true; input.setAttribute('aria-expanded', 'false'); input.removeAttribute('aria-activedescendant') }
  const go = (stationId: string) => { input.value = ''; close(); input.blur(); location.hash = '#/station/' + encodeURIComponent(stationId) }
  const show = () => {
    const wanted = input.value.trim().toLowerCase()
    if (!wanted) return close()
    const found = state.city.stations.filter((each) => [each.name, each.station_id, each.zone_id, each.operator_id].some((text) => text.toLowerCase().includes(wanted))).slice(0, SHOWN)
    at = 0
    list.replaceChildren(...(found.length ? found.map((station, n) =>
      h('li', { role: 'option', id: 'found-' + n, 'data-id': station.station_id, 'aria-selected': String(n === 0), onclick: () => go(station.station_id) }, h('b', {}, station.name), h('span', { class: 'quiet' }, `${station.station_id} · ${station.zone_id}`))) : [h('li', { class: 'empty' }, words.nothingFound)]))
    list.hidden = false
    input.setAttribute('aria-expanded', 'true')
    if (found.length) input.setAttribute('aria-activedescendant', 'found-0')
  }
  const key = (event: KeyboardEvent) => {
    const options = [...list.querySelectorAll<HTMLElement>('[role=option]')]
    if (event.key === 'Escape') { input.value = ''; close(); input.blur(); event.stopPropagation() }
    else if (event.key === 'Enter') { const id = options[at]?.dataset.id; if (id) go(id) }
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      at = Math.min(Math.max(at + (event.key === 'ArrowDown' ? 1 : -1), 0), options.length - 1)
      options.forEach((option, n) => option.setAttribute('aria-selected', String(n === at)))
      input.setAttribute('aria-activedescendant', 'found-' + at)
    }
  }
  input.addEventListener('blur', () => setTimeout(close, 150)) // after a click on the list
  return { element: h('div', { class: 'search' }, input, h('kbd', { 'aria-hidden': 'true' }, '/'), list), focus: () => input.focus() }
}
