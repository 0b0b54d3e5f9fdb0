/** Three questions, prefilled: where, how much battery, until when. */

import type { City } from '../shared/api'
import { h } from '../shared/dom'
import { clock, number, share } from '../shared/format'
import { words } from '../shared/words'
import { cityNow } from './clock'
import type { Answers } from './state'

const STAYS = [30, 60, 120, 240, 600]
const DAY_MIN = 24 * 60

interface Wanted { answers: Answers; city: City; locate: () => void; find: () => void; note: string }

export function askForm({ answers, city, locate, find, note }: Wanted): HTMLElement {
  const battery = h('output', { class: 'big', for: 'soc' }, share(answers.soc))
  const soc = h('input', { id: 'soc', type: 'range', min: 2, max: 95, step: 1, value: Math.round(answers.soc * 100), 'data-testid': 'soc', 'aria-valuetext': share(answers.soc), oninput: () => {
    answers.soc = Number(soc.value) / 100
    battery.textContent = share(answers.soc)
    soc.setAttribute('aria-valuetext', share(answers.soc))
    soc.style.setProperty('--part', soc.value + '%')
  } })
  soc.style.setProperty('--part', soc.value + '%')
  const vehicle = h('select', { id: 'vehicle', 'data-testid': 'vehicle', onchange: () => { answers.modelId = vehicle.value } },
    ...city.models.map((model) => h('option', { value: model.model_id, selected: model.model_id === answers.modelId }, model.name)))
  const until = h('input', { type: 'time', 'aria-label': words.leaveAt, 'data-testid': 'leave-by', onchange: () => leaveAt() })
  const stays = choice('stay', words.stay, STAYS.map((stay) => [String(stay), stayName(stay)]), String(answers.stayMin), (value) => { answers.stayMin = Number(value); showLeave() })
  const showLeave = () => { until.value = clock(cityNow() + answers.stayMin * 60_000) }
  const leaveAt = () => {
    const [hour = NaN, minute = NaN] = until.value.split(':').map(Number), [hourNow = 0, minuteNow = 0] = clock(cityNow()).split(':').map(Number)
    if (Number.isNaN(hour + minute)) return showLeave()
    const ahead = (hour - hourNow) * 60 + minute - minuteNow
    answers.stayMin = ahead > 0 ? ahead : ahead + DAY_MIN // the next time it is that late
    stays.querySelectorAll('input').forEach((input) => (input.checked = Number(input.value) === answers.stayMin))
  }
  showLeave()
  return h('form', { class: 'sheet-body', 'data-testid': 'ask', onsubmit: (event: Event) => { event.preventDefault(); find() } },
    h('h1', {}, words.driverTitle),
    h('div', { class: 'where' }, h('div', {}, h('b', {}, words.where), h('span', { class: 'quiet small', 'aria-live': 'polite' }, note || words.whereHint)), h('button', { type: 'button', class: 'soft', onclick: locate, 'data-testid': 'locate' }, words.locate)),
    h('div', { class: 'field' }, h('div', { class: 'between' }, h('label', { for: 'soc' }, words.batteryNow), battery), soc),
    h('div', { class: 'field' }, h('label', { for: 'vehicle' }, words.vehicleLabel), vehicle),
    stays,
    h('label', { class: 'between' }, h('span', {}, words.leaveAt), until),
    choice('current', words.kindOfCharging, [['DC', words.fast], ['AC', words.slow]], answers.current, (value) => { answers.current = value as Answers['current'] }),
    choice('sort', words.sortBy, Object.entries(words.sorts), answers.sort, (value) => { answers.sort = value as Answers['sort'] }),
    h('div', { class: 'dock' }, h('button', { class: 'go', 'data-testid': 'find' }, words.find)))
}

const stayName = (minutes: number) => (minutes === 600 ? words.overnight : minutes < 60 ? words.minutesShort(minutes) : words.hoursShort(Number(number(minutes / 60))))

/** Radio buttons drawn as one row of chips. */
export function choice(name: string, title: string, options: [string, string][], chosen: string, pick: (value: string) => void): HTMLElement {
  return h('fieldset', { class: 'field', 'data-testid': name }, h('legend', {}, title), h('div', { class: 'chips' }, ...options.map(([value, text]) =>
    h('label', { class: 'chip' }, h('input', { type: 'radio', name, value, checked: value === chosen, onchange: () => pick(value) }), h('span', {}, text)))))
}
