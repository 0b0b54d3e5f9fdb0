/** Upkeep of one charger: another password for it, and the tokens that it keeps. */

import { h } from '../../shared/dom'
import { number } from '../../shared/format'
import { words } from '../../shared/words'
import { wrong } from '../../shared/wrong'
import type { State } from '../state'
import { fleetApi, type ChargerDetail, type ListSent } from './api'
import { confirmed } from './confirm'
import { verdictOf } from './verdict'

interface Verdict { tone: string; text: string }

export class Upkeep {
  readonly element: HTMLElement
  private readonly password: Chore
  private readonly list: Chore

  constructor(private readonly state: State, chargerId: string) {
    const { fleet } = words
    this.password = new Chore(fleet.passwordChore, fleet.passwordChoreNote, 'change-password', [[fleet.changePassword, async () => {
      if (!(await confirmed(fleet.changePasswordAsk(chargerId), fleet.changePasswordYes))) return null
      return verdictOf(await fleetApi.changePassword(chargerId), '')
    }]])
    const send = (full: boolean) => async () => listVerdict(await fleetApi.sendList(chargerId, full))
    this.list = new Chore(fleet.listChore, fleet.listChoreNote, 'send-list', [[fleet.listChanges, send(false)], [fleet.listAll, send(true)]])
    this.element = h('section', { class: 'upkeep', 'data-testid': 'upkeep', hidden: true }, h('h2', {}, fleet.upkeep), this.password.element, this.list.element)
  }

  show(charger: ChargerDetail): void {
    const adopted = charger.state === 'adopted'
    this.password.show(adopted && this.state.may('adopt') && [1, 2].includes(charger.security_profile), charger.connected)
    this.list.show(adopted && this.state.may('command'), charger.connected)
    this.element.hidden = this.password.element.hidden && this.list.element.hidden
  }
}

/** What it is about, its buttons, and what came of the last one that was pressed. */
class Chore {
  readonly element: HTMLElement
  private readonly outcome = h('p', { role: 'status' })
  private readonly buttons: HTMLButtonElement[]
  private connected = false
  private busy = false

  constructor(name: string, note: string, testId: string, deeds: [name: string, deed: () => Promise<Verdict | null>][]) {
    this.buttons = deeds.map(([label, deed]) => h('button', { class: 'plain', type: 'button', onclick: () => void this.run(deed) }, label))
    this.element = h('div', { class: 'chore', role: 'group', 'aria-label': name, 'data-testid': testId }, h('div', {}, h('b', {}, name), h('small', { class: 'quiet' }, note)), h('div', { class: 'tools' }, ...this.buttons), this.outcome)
  }

  show(allowed: boolean, connected: boolean): void {
    this.connected = connected
    this.element.hidden = !allowed
    for (const button of this.buttons) button.disabled = this.busy || !connected
  }

  private async run(deed: () => Promise<Verdict | null>): Promise<void> {
    this.busy = true
    this.show(true, this.connected)
    this.say({ tone: 'quiet', text: words.fleet.sending })
    this.say(await deed().catch((error: unknown) => ({ tone: 'bad', text: '✕ ' + wrong(error) })))
    this.busy = false
    this.show(true, this.connected)
  }

  private say(verdict: Verdict | null): void {
    this.outcome.className = verdict?.tone ?? ''
    this.outcome.textContent = verdict?.text ?? ''
  }
}

function listVerdict({ status, version, entries, left_out }: ListSent): Verdict {
  const { fleet } = words, has = fleet.listHas(number(version), number(entries)) + (left_out ? ' · ' + fleet.listLeftOut(number(left_out)) : '')
  if (status === 'sent' || status === 'up to date') return { tone: left_out ? 'amber' : 'good', text: `✓ ${fleet.outcomes[status]} · ${has}` }
  return { tone: status === 'not supported' ? 'amber' : 'bad', text: (status === 'not supported' ? '! ' : '✕ ') + fleet.outcomes[status] }
}
