/** What to do first, where there is no charger yet. */

import { h } from '../../shared/dom'
import { words } from '../../shared/words'
import { copyButton } from './copy'

const OCPP_PORT = 9000

export function emptyFleet(): HTMLElement {
  const address = `ws://${location.hostname}:${OCPP_PORT}/ocpp/`
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname)
  const [first, second, third] = words.fleet.emptySteps
  return h('section', { class: 'no-charger', 'data-testid': 'no-charger' }, h('h2', {}, words.fleet.emptyTitle),
    h('ol', {}, h('li', {}, first), h('li', {}, second, h('p', { class: 'secret' }, h('code', {}, address, h('i', {}, words.fleet.ownName)), copyButton(address, words.fleet.address))), h('li', {}, third)),
    loopback && h('p', { class: 'quiet' }, words.fleet.emptyLoopback))
}
