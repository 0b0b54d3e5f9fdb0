/** Commands to one charger: the most used as buttons, all of them as forms, each with the answer it got. */

import { h, patchChildren } from '../../shared/dom'
import { clockSeconds, dayAndClock, milliseconds } from '../../shared/format'
import { words } from '../../shared/words'
import { wrong } from '../../shared/wrong'
import type { State } from '../state'
import { fleetApi, type Answer, type ChargerDetail } from './api'
import { schemaForm, type Field, type Schema } from './form'
import { quickCommands, type Quick } from './quick'
import { verdictOf } from './verdict'

interface Sent { at: string; action: string; payload: unknown; answer: Answer | null; problem: string; ms: number }

export class Commands {
  readonly element: HTMLElement
  private schemas: Record<string, Schema> = {}
  private field: Field | null = null
  private readonly sent: Sent[] = []
  private readonly notice = h('p', { class: 'quiet' })
  private readonly quick = h('div', { class: 'quick', role: 'group', 'aria-label': words.fleet.quickLabel })
  private readonly action = h('select', { 'aria-label': words.fleet.action, 'data-testid': 'action', onchange: () => this.choose(this.action.value, {}) })
  private readonly fields = h('div', { class: 'fields' })
  private readonly json = h('textarea', { rows: 8, spellcheck: 'false', 'aria-label': words.fleet.jsonLabel, 'data-testid': 'json', hidden: true })
  private readonly asForm = h('button', { type: 'button', 'aria-pressed': 'true', onclick: () => this.writeAsForm() }, words.fleet.form)
  private readonly asJson = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => this.writeAsJson(), 'data-testid': 'as-json' }, words.fleet.json)
  private readonly problem = h('p', { class: 'bad', role: 'alert' })
  private readonly send = h('button', { class: 'primary', type: 'submit', 'data-testid': 'send' }, words.fleet.send)
  private readonly form: HTMLFormElement
  private readonly answers = h('ol', { class: 'answers', 'aria-live': 'polite', 'data-testid': 'answers' })
  private version: string | null | undefined

  constructor(private readonly state: State, private readonly chargerId: string) {
    const submit = (event: Event) => { event.preventDefault(); void this.submit() }
    this.form = h('form', { class: 'command', onsubmit: submit, 'aria-label': words.fleet.commands },
      h('div', { class: 'command-head' }, this.action, h('div', { class: 'switch', role: 'group', 'aria-label': words.fleet.formOrJson }, this.asForm, this.asJson)), this.fields, this.json, this.problem, this.send)
    this.element = h('section', { class: 'commands', 'data-testid': 'commands' }, h('h2', {}, words.fleet.commands), this.notice, this.quick, this.form, this.answers)
  }

  /** The charger as it is now: its version decides what can be sent, its connection whether. */
  show(charger: ChargerDetail): void {
    const allowed = this.state.may('command'), adopted = charger.state === 'adopted'
    const usable = allowed && adopted && charger.version !== null
    this.notice.textContent = !allowed ? words.fleet.mayNot : !adopted ? words.fleet.mustAdopt : charger.connected ? '' : words.fleet.mustConnect
    this.notice.hidden = !this.notice.textContent
    this.form.hidden = this.quick.hidden = !usable
    this.send.disabled = !charger.connected
    if (!usable || this.version === charger.version) return
    this.version = charger.version
    const quick = quickCommands(charger.version, charger.connectors)
    void fleetApi.actions(this.chargerId).then((schemas) => this.offer(schemas as Record<string, Schema>, quick), (error: unknown) => this.failed(error))
  }

  private offer(schemas: Record<string, Schema>, quick: Quick[]): void {
    this.schemas = schemas
    const names = Object.keys(schemas).sort()
    this.action.replaceChildren(...names.map((name) => h('option', { value: name }, name)))
    this.quick.replaceChildren(...quick.filter(({ action }) => action in schemas).map((each) => h('button', { class: 'plain', type: 'button', onclick: () => this.take(each), title: each.action }, each.name, each.harmless ? '' : ' …')))
    const first = quick.find(({ action }) => action in schemas)
    if (first) this.choose(first.action, first.payload)
    else if (names[0]) this.choose(names[0], {})
  }

  private take(quick: Quick): void {
    this.choose(quick.action, quick.payload)
    if (quick.harmless && !this.send.disabled) void this.submit()
    else this.send.focus()
  }

  private choose(action: string, payload: Record<string, unknown>): void {
    this.action.value = action
    this.problem.textContent = ''
    this.field = schemaForm(this.schemas[action] ?? {}, payload)
    this.fields.replaceChildren(this.field.element)
    this.json.value = JSON.stringify(payload, null, 2)
  }

  private writeAsJson(): void {
    if (this.json.hidden) this.json.value = JSON.stringify(this.field?.value() ?? {}, null, 2)
    this.write(true)
  }

  private writeAsForm(): void {
    const payload = this.parsed()
    if (payload === undefined) return
    const field = schemaForm(this.schemas[this.action.value] ?? {}, payload)
    if (!sameJson(field.value(), payload)) return void (this.problem.textContent = words.fleet.notInForm)
    this.field = field
    this.fields.replaceChildren(field.element)
    this.write(false)
  }

  private write(asJson: boolean): void {
    this.problem.textContent = ''
    this.json.hidden = !asJson
    this.fields.hidden = asJson
    this.fields.inert = asJson
    for (const field of this.fields.querySelectorAll<HTMLInputElement>('input, select')) field.disabled = asJson // what is hidden is not checked
    this.asJson.setAttribute('aria-pressed', String(asJson))
    this.asForm.setAttribute('aria-pressed', String(!asJson))
  }

  private parsed(): Record<string, unknown> | undefined {
    try {
      return JSON.parse(this.json.value) as Record<string, unknown>
    } catch (error) {
      this.problem.textContent = words.fleet.badJson(error instanceof Error ? error.message : String(error))
      return undefined
    }
  }

  private async submit(): Promise<void> {
    this.problem.textContent = ''
    const payload = this.json.hidden ? this.field?.value() : this.parsed()
    if (payload === undefined) return
    const sent: Sent = { at: new Date(this.state.stream.now()).toISOString(), action: this.action.value, payload, answer: null, problem: '', ms: 0 }
    const began = performance.now()
    this.sent.unshift(sent)
    this.showAnswers()
    try {
      sent.answer = await fleetApi.command(this.chargerId, sent.action, payload)
    } catch (error) {
      sent.problem = wrong(error)
      this.failed(error)
    }
    sent.ms = performance.now() - began
    this.showAnswers()
  }

  private failed(error: unknown): void {
    this.problem.textContent = wrong(error)
  }

  private showAnswers(): void {
    patchChildren(this.answers, this.sent.map((sent, n) => answerItem(sent, this.sent.length - n)))
  }
}

function answerItem(sent: Sent, key: number): HTMLElement {
  const { answer } = sent, verdict = verdictOf(answer, sent.problem)
  return h('li', { 'data-key': key },
    h('p', { class: 'answer-head' }, h('b', {}, sent.action), h('span', { class: verdict.tone }, verdict.text), h('span', { class: 'quiet small' }, h('time', { title: dayAndClock(sent.at) }, clockSeconds(sent.at)), answer ? ' · ' + words.fleet.took(milliseconds(sent.ms)) : '')),
    answer?.description && h('p', {}, answer.description),
    h('div', { class: 'pair' }, h('figure', {}, h('figcaption', { class: 'quiet small' }, words.fleet.asked), h('pre', { tabindex: 0 }, JSON.stringify(sent.payload, null, 2))),
      answer?.status === 'answered' && h('figure', {}, h('figcaption', { class: 'quiet small' }, words.fleet.answer), h('pre', { tabindex: 0 }, JSON.stringify(answer.payload, null, 2)))))
}

/** Equal whatever the order of the names. */
function sameJson(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown): unknown => (Array.isArray(value) ? value.map(sorted) : value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).sort(([x], [y]) => x.localeCompare(y)).map(([name, each]) => [name, sorted(each)])) : value)
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}
