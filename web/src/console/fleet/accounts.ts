/** Who may log in, and what each may do. */

import { h, skeleton } from '../../shared/dom'
import { said, words } from '../../shared/words'
import { wrong } from '../../shared/wrong'
import type { State, View } from '../state'
import { fleetApi, type Account } from './api'
import { confirmed } from './confirm'

/** As the server has it; shown so that nobody must guess. */
const MAY: Record<string, string[]> = {
  operator: ['see', 'decide', 'chargers', 'command', 'adopt', 'tokens', 'audit', 'accounts', 'money', 'queue'], centre: ['see', 'decide', 'chargers', 'audit', 'money'],
  regulator: ['see', 'chargers', 'audit', 'money'], grid: ['see'], fleet: ['see', 'decide'], technician: ['see', 'chargers', 'command'], driver: ['decide'],
}
const SHORTEST_PASSWORD = 10

export function accountsPage(state: State): View {
  const body = h('div', { class: 'accounts-body' }, skeleton(6))
  const element = h('section', { class: 'page accounts', 'data-testid': 'accounts' }, h('header', { class: 'page-head' }, h('div', {}, h('h1', {}, words.fleet.accounts), h('p', { class: 'quiet' }, words.fleet.accountsNote))), body)
  const problem = h('p', { class: 'bad', role: 'alert' })
  const did = async (what: Promise<unknown>) => {
    problem.textContent = ''
    try {
      await what
      await renew()
    } catch (error) {
      problem.textContent = wrong(error)
    }
  }
  const renew = async () => {
    const accounts = await fleetApi.accounts()
    body.replaceChildren(accounts.length ? table(state, accounts, did) : h('div', {}, h('h2', {}, words.fleet.noAccounts), h('p', {}, words.fleet.noAccountsNote)), problem, addForm(accounts.length ? 'technician' : 'operator', did), roleTable())
  }
  void did(Promise.resolve())
  body.append(problem)
  return { element }
}

type Did = (what: Promise<unknown>) => Promise<void>

function table(state: State, accounts: Account[], did: Did): HTMLElement {
  const row = (account: Account) => {
    const mine = account.name === state.me.name
    const remove = async () => { if (await confirmed(words.fleet.removeAsk(account.name), words.fleet.removeYes)) void did(fleetApi.removeAccount(account.name)) }
    const change = () => (line.nextElementSibling?.matches('.changing') ? line.nextElementSibling.remove() : line.after(h('tr', { class: 'changing' }, h('td', { colspan: 4 }, changeForm(account, did)))))
    const line = h('tr', { 'data-testid': 'account-row' },
      h('td', {}, h('b', {}, account.name), mine && h('small', { class: 'quiet' }, ' ' + words.fleet.you)), h('td', {}, account.roles.map((role) => said(words.fleet.roles, role)).join(' · ')),
      h('td', { class: account.disabled ? 'amber' : '' }, account.disabled ? '○ ' + words.fleet.disabled : '● ' + words.fleet.active),
      h('td', {}, h('div', { class: 'tools' }, h('button', { class: 'plain', onclick: change, 'aria-label': `${words.fleet.change}: ${account.name}` }, words.fleet.change),
        !mine && h('button', { class: 'plain', onclick: () => void did(fleetApi.changeAccount(account.name, { disabled: !account.disabled })), 'aria-label': `${account.disabled ? words.fleet.enable : words.fleet.disable}: ${account.name}` }, account.disabled ? words.fleet.enable : words.fleet.disable),
        !mine && h('button', { class: 'plain', onclick: () => void remove(), 'aria-label': `${words.fleet.removeAccount}: ${account.name}` }, words.fleet.removeAccount))))
    return line
  }
  const heads = [words.accountName, words.fleet.role, words.fleet.state, ''].map((name) => h('th', { scope: 'col' }, name))
  return h('table', { class: 'figures accounts-table' }, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...accounts.map(row)))
}

function roleChoice(chosen: string[]): { element: HTMLElement; value: () => string[] } {
  const boxes = Object.keys(MAY).map((role) => h('input', { type: 'checkbox', value: role, checked: chosen.includes(role) }))
  const element = h('fieldset', { class: 'roles' }, h('legend', {}, words.fleet.role), ...boxes.map((box) => h('label', { class: 'check' }, box, said(words.fleet.roles, box.value))))
  return { element, value: () => boxes.filter(({ checked }) => checked).map(({ value }) => value) }
}

function changeForm(account: Account, did: Did): HTMLElement {
  const roles = roleChoice(account.roles), password = h('input', { type: 'password', minlength: SHORTEST_PASSWORD, autocomplete: 'new-password', placeholder: words.fleet.keepPassword })
  const save = (event: Event) => { event.preventDefault(); void did(fleetApi.changeAccount(account.name, { roles: roles.value(), ...(password.value ? { password: password.value } : {}) })) }
  return h('form', { class: 'account-form', onsubmit: save }, roles.element, h('label', { class: 'field' }, h('span', {}, words.fleet.newPassword), password), h('button', { class: 'primary' }, words.fleet.save))
}

function addForm(role: string, did: Did): HTMLElement {
  const name = h('input', { required: true, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', name: 'account' }), password = h('input', { type: 'password', required: true, minlength: SHORTEST_PASSWORD, autocomplete: 'new-password', name: 'new-password' })
  const roles = roleChoice([role]), alert = h('p', { class: 'bad', role: 'alert' })
  const add = (event: Event) => {
    event.preventDefault()
    if (!roles.value().length) return void (alert.textContent = words.fleet.chooseRole)
    void did(fleetApi.addAccount({ name: name.value.trim(), password: password.value, roles: roles.value() }))
  }
  return h('form', { class: 'account-form', onsubmit: add, 'data-testid': 'add-account' }, h('h2', {}, words.fleet.addAccount),
    h('label', { class: 'field' }, h('span', {}, words.accountName), name), h('label', { class: 'field' }, h('span', {}, words.password, h('small', { class: 'quiet' }, ' ' + words.fleet.passwordRule)), password), roles.element, alert, h('button', { class: 'primary' }, words.fleet.add_))
}

function roleTable(): HTMLElement {
  const line = ([role, may]: [string, string[]]) => h('div', {}, h('dt', {}, said(words.fleet.roles, role)), h('dd', { class: 'quiet' }, may.map((each) => said(words.fleet.permissions, each)).join(' · ')))
  return h('section', {}, h('h2', {}, words.fleet.rolesTitle), h('dl', { class: 'role-list' }, ...Object.entries(MAY).map(line)))
}
