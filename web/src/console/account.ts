/** Who I am, in the top bar: name, roles, the pages about accounts, and the way out; and log-in again where a session has ended. */

import { api } from '../shared/api'
import { h } from '../shared/dom'
import { loginForm } from '../shared/login'
import { said, words } from '../shared/words'
import type { State } from './state'

/** Who works on the server's own machine before there is any account. */
export const LOCAL = 'local'

export function accountMenu(state: State): HTMLElement {
  const { me } = state, local = me.name === LOCAL, name = local ? words.fleet.local : me.name, title = local ? words.fleet.noLogin : words.fleet.loggedInAs(name)
  const logOut = async () => {
    await api.logout().catch(() => {})
    location.reload()
  }
  const link = (to: string, text: string) => h('a', { href: to, onclick: () => menu.hidePopover() }, text)
  const menu = h('div', { class: 'account-menu', id: 'account-menu', popover: 'auto' },
    h('p', {}, h('b', {}, title)), h('p', { class: 'quiet small' }, local ? words.fleet.localNote : me.roles.map((role) => said(words.fleet.roles, role)).join(' · ')),
    state.may('accounts') && link('#/accounts', local ? words.fleet.firstAccount : words.fleet.accounts), state.may('audit') && link('#/audit', words.fleet.audit),
    !local && h('button', { class: 'plain', onclick: () => void logOut(), 'data-testid': 'log-out' }, words.fleet.logOut))
  const button = h('button', { class: 'plain account', popovertarget: 'account-menu', 'aria-label': title, 'data-testid': 'account' }, name)
  return h('div', { class: 'account-box' }, button, menu)
}

/** A dialog over the page, which stays as it is; another person's log-in begins anew. */
export function loginAgain({ me }: State): { dialog: HTMLDialogElement; show: () => void } {
  const form = loginForm((now) => {
    if (now.name === me.name) dialog.close()
    else location.reload()
  })
  const dialog = h('dialog', { class: 'help', 'aria-label': words.logIn }, h('p', { role: 'status' }, me.name === LOCAL ? words.fleet.nowLogIn : words.fleet.expired), form)
  dialog.addEventListener('cancel', (event) => event.preventDefault())
  return { dialog, show: () => { if (!dialog.open) dialog.showModal() } }
}
