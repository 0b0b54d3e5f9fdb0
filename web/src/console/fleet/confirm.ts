/** A question that must be answered before something is done that cannot easily be undone. */

import { h } from '../../shared/dom'
import { words } from '../../shared/words'

export function confirmed(question: string, yes: string): Promise<boolean> {
  const dialog = h('dialog', { class: 'help', 'aria-label': question },
    h('form', { method: 'dialog' }, h('p', {}, question), h('div', { class: 'tools' }, h('button', { class: 'plain', value: '' }, words.fleet.cancel), h('button', { class: 'primary danger', value: 'yes', 'data-testid': 'yes' }, yes))))
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((done) => {
    dialog.onclose = () => {
      dialog.remove()
      done(dialog.returnValue === 'yes')
    }
  })
}
