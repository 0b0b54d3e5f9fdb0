/** What to do first, where there is no charger yet. */

import { h, skeleton } from '../../shared/dom'
import { words } from '../../shared/words'
import { wrong } from '../../shared/wrong'
import { fleetApi, type Entrance } from './api'
import { copyButton } from './copy'

const PATH = '/ocpp/'

export function emptyFleet(): HTMLElement {
  const where = h('div', {}, skeleton(1)), local = h('p', { class: 'quiet', hidden: true }, words.fleet.emptyLoopback)
  const [first, second, third] = words.fleet.emptySteps
  fleetApi.entrance().then((entrance) => {
    where.replaceChildren(...addresses(entrance))
    local.hidden = !entrance.is_local
  }, (error: unknown) => where.replaceChildren(h('p', { class: 'bad', role: 'alert' }, wrong(error))))
  return h('section', { class: 'no-charger', 'data-testid': 'no-charger' }, h('h2', {}, words.fleet.emptyTitle), h('ol', {}, h('li', {}, first), h('li', {}, second, where), h('li', {}, third)), local)
}

/** Encrypted first, where that is to be had. */
function addresses({ port, tls_port }: Entrance): HTMLElement[] {
  const { hostname } = location, open = `ws://${hostname}:${port}${PATH}`
  if (tls_port === null) return [address(open)]
  return [address(`wss://${hostname}:${tls_port}${PATH}`), h('p', { class: 'quiet small' }, words.fleet.orOpen), address(open)]
}

const address = (text: string) => h('p', { class: 'secret' }, h('code', {}, text, h('i', {}, words.fleet.ownName)), copyButton(text, words.fleet.address))
