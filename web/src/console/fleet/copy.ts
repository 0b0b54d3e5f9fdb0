/** A button that copies a text; where the page may not (no HTTPS), it selects it for the keys. */

import { h } from '../../shared/dom'
import { words } from '../../shared/words'

const SHOWN_MS = 1600

export function copyButton(text: string, what: string): HTMLElement {
  const said = h('span', { role: 'status' }, words.fleet.copy)
  const copy = async () => {
    await navigator.clipboard.writeText(text).catch(() => copyOldWay(text))
    said.textContent = words.fleet.copied
    setTimeout(() => (said.textContent = words.fleet.copy), SHOWN_MS)
  }
  return h('button', { class: 'plain', type: 'button', 'aria-label': words.fleet.copyIt(what), onclick: () => void copy(), 'data-testid': 'copy' }, said)
}

function copyOldWay(text: string): void {
  const field = h('textarea', { class: 'sr', 'aria-hidden': 'true' }, text)
  document.body.append(field)
  field.select()
  document.execCommand('copy')
  field.remove()
}
