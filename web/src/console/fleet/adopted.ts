/** After adoption: the password, shown this once, and where to type it. */

import { h } from '../../shared/dom'
import { words } from '../../shared/words'
import type { Adopted } from './api'
import { copyButton } from './copy'

export function adoptedPanel({ charger, password }: Adopted, version: string | null): HTMLElement {
  const { fleet } = words
  const secret = password && h('div', { class: 'password' }, h('h2', {}, fleet.passwordTitle),
    h('p', { class: 'secret' }, h('code', { 'data-testid': 'password' }, password), copyButton(password, fleet.password)), h('p', { class: 'amber' }, fleet.passwordNote),
    h('p', {}, version === 'ocpp1.6' ? fleet.setAt16 : fleet.setAt2, ' ', h('b', {}, charger.security_profile), '. ', fleet.setUser, ' ', h('code', {}, charger.charger_id)))
  return h('section', { class: 'adopted', 'data-testid': 'adopted', role: 'status' }, h('h1', { class: 'good' }, '✓ ' + fleet.adopted(charger.charger_id)), secret,
    h('p', {}, h('a', { class: 'primary', href: '#/charger/' + encodeURIComponent(charger.charger_id) }, fleet.open)))
}
