/** Every command and change: by whom, when, to which charger, with what outcome. */

import { arrows, h, skeleton } from '../../shared/dom'
import { dayAndClock, NONE, relative } from '../../shared/format'
import { said, words } from '../../shared/words'
import { wrong } from '../../shared/wrong'
import { LOCAL } from '../account'
import type { State, View } from '../state'
import { fleetApi, type AuditEntry } from './api'

const PART = 100

/** `chargerId` of the address fills the filter. */
export function auditPage(state: State, chargerId: string): View {
  let limit = PART, turn = 0
  const anew = () => { limit = PART; void renew() }
  const field = (name: string, value: string) => h('input', { type: 'search', placeholder: name, 'aria-label': name, value, spellcheck: 'false', onchange: anew })
  const charger = field(words.fleet.anyCharger, chargerId), account = field(words.fleet.anyone, ''), body = h('div', {}, skeleton(10))
  const renew = async () => {
    const mine = ++turn
    try {
      const entries = await fleetApi.audit({ charger_id: charger.value.trim(), account: accountOf(account.value.trim()), limit })
      if (mine !== turn) return // the filter changed meanwhile
      body.replaceChildren(entries.length ? auditTable(state, entries) : h('p', { class: 'empty' }, words.fleet.noAudit), ...(entries.length < limit ? [] : [h('button', { class: 'plain', onclick: () => { limit += PART; void renew() } }, words.fleet.moreAudit)]))
    } catch (error) {
      body.replaceChildren(h('p', { class: 'empty', role: 'alert' }, wrong(error)))
    }
  }
  arrows(body, 'summary')
  void renew()
  const element = h('section', { class: 'page audit', 'data-testid': 'audit' }, h('header', { class: 'page-head' }, h('div', {}, h('h1', {}, words.fleet.audit), h('p', { class: 'quiet' }, words.fleet.auditNote)), h('div', { class: 'tools' }, charger, account)), body)
  return { element, find: () => charger.focus() }
}

const accountOf = (name: string) => (name === words.fleet.local ? LOCAL : name)

function auditTable(state: State, entries: AuditEntry[]): HTMLElement {
  const now = state.stream.now()
  const row = (entry: AuditEntry) => h('tr', { 'data-testid': 'audit-row' },
    h('td', {}, h('time', { datetime: entry.at, title: dayAndClock(entry.at) }, relative(entry.at, now))), h('td', {}, entry.account === LOCAL ? words.fleet.local : entry.account),
    h('td', {}, entry.charger_id ? h('a', { href: '#/charger/' + encodeURIComponent(entry.charger_id) }, entry.charger_id) : NONE),
    h('td', {}, h('details', {}, h('summary', {}, said(words.fleet.deeds, entry.action)), h('pre', { tabindex: 0 }, JSON.stringify(entry.payload, null, 2)))), h('td', {}, said(words.fleet.outcomes, entry.outcome)))
  const heads = [words.fleet.when, words.fleet.who, words.fleet.columns.charger, words.fleet.what, words.fleet.outcome].map((name) => h('th', { scope: 'col' }, name))
  return h('div', { class: 'scroll' }, h('table', { class: 'figures audit-table' }, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...entries.map(row))))
}
