/** Find a station: type, arrows, Enter. */

import { h } from '../shared/dom'
import { words } from '../shared/words'
import type { State } from './state'

const SHOWN = 8

interface Finder { element: HTMLElement; focus: () => void }

/** The search in the top bar: what is found is opened. */
export function search(state: State): Finder {
  const finder = stationFinder(state, words.search, (stationId) => (location.hash = '#/station/' + encodeURIComponent(stationId)), 'search')
  finder.element.append(h('kbd', { 'aria-hidden': 'true' }, '/'))
  return finder
}

/** A field that offers stations as one types, and hands over the one chosen; `name` is its id in the page. */
export function stationFinder(state: State, label: string, onChosen: (stationId: string) => void, name: string): Finder {
  const list = h('ul', { class: 'found', role: 'listbox', id: name + '-found', 'aria-label': label, hidden: true })
  const input = h('input', {
    type: 'search', placeholder: label, role: 'combobox', 'aria-expanded': 'false', 'aria-controls': name + '-found', 'aria-label': `${label} (${words.searchHint})`,
    autocomplete: 'off', spellcheck: 'false', 'data-testid': name, oninput: () => show(), onkeydown: (event: KeyboardEvent) => key(event),
  })
  let at = 0
  const close = () => { list.hidden = true; input.setAttribute('aria-expanded', 'false'); input.removeAttribute('aria-activedescendant') }
  const go = (stationId: string) => { input.value = ''; close(); input.blur(); onChosen(stationId) }
  const show = () => {
    const wanted = input.value.trim().toLowerCase()
    if (!wanted) return close()
    const found = state.city.stations.filter((each) => [each.name, each.station_id, each.zone_id, each.operator_id].some((text) => text.toLowerCase().includes(wanted))).slice(0, SHOWN)
    at = 0
    list.replaceChildren(...(found.length ? found.map((station, n) =>
      h('li', { role: 'option', id: `${name}-${n}`, 'data-id': station.station_id, 'aria-selected': String(n === 0), onclick: () => go(station.station_id) }, h('b', {}, station.name), h('span', { class: 'quiet' }, `${station.station_id} · ${station.zone_id}`))) : [h('li', { class: 'empty' }, words.nothingFound)]))
    list.hidden = false
    input.setAttribute('aria-expanded', 'true')
    if (found.length) input.setAttribute('aria-activedescendant', name + '-0')
  }
  const key = (event: KeyboardEvent) => {
    const options = [...list.querySelectorAll<HTMLElement>('[role=option]')]
    if (event.key === 'Escape') { input.value = ''; close(); input.blur(); event.stopPropagation() }
    else if (event.key === 'Enter') { event.preventDefault(); const id = options[at]?.dataset.id; if (id) go(id) }
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      at = Math.min(Math.max(at + (event.key === 'ArrowDown' ? 1 : -1), 0), options.length - 1)
      options.forEach((option, n) => option.setAttribute('aria-selected', String(n === at)))
      input.setAttribute('aria-activedescendant', `${name}-${at}`)
    }
  }
  input.addEventListener('blur', () => setTimeout(close, 150)) // after a click on the list
  return { element: h('div', { class: 'search' }, input, list), focus: () => input.focus() }
}
