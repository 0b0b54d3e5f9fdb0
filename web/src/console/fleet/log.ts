/** One charger's messages, newest first: live, searched, filtered, opened, paused. */

import { arrows, h, patchChildren, skeleton } from '../../shared/dom'
import { clockSeconds, dayAndClock, number } from '../../shared/format'
import { said, words } from '../../shared/words'
import { wrong } from '../../shared/wrong'
import { fleetApi, type Message } from './api'
import { copyButton } from './copy'

const PART = 100 // messages in one question to the server
const KEPT = 1000 // live ones push out the oldest beyond this
const TYPING_MS = 300

export class MessageLog {
  readonly element: HTMLElement
  private messages: Message[] = []
  private waiting: Message[] = [] // while paused
  private readonly opened = new Set<string>()
  private readonly actionNames = new Set<string>()
  private paused = false
  private all = false // nothing older is kept
  private asked = 0
  private drawing = false
  private readonly text = h('input', { type: 'search', placeholder: words.fleet.textFilter, 'aria-label': words.fleet.textFilter, spellcheck: 'false', 'data-testid': 'log-search' })
  private readonly action = h('select', { 'aria-label': words.fleet.actionFilter, 'data-testid': 'log-action', onchange: () => void this.renew(true) })
  private readonly direction = h('select', { 'aria-label': words.fleet.directionFilter, onchange: () => this.draw() }, h('option', { value: '' }, words.fleet.bothWays), h('option', { value: 'in' }, '← ' + words.fleet.fromCharger), h('option', { value: 'out' }, '→ ' + words.fleet.toCharger))
  private readonly pause = h('button', { class: 'plain', onclick: () => this.togglePause(), 'data-testid': 'log-pause' }, words.fleet.pause)
  private readonly state = h('span', { class: 'quiet small', role: 'status' })
  private readonly body = h('div', { class: 'log-body' }, skeleton(8))

  constructor(private readonly chargerId: string) {
    let typing = 0
    this.text.oninput = () => { clearTimeout(typing); typing = setTimeout(() => void this.renew(true), TYPING_MS) }
    arrows(this.body, '.message > button')
    this.element = h('section', { class: 'log', 'aria-label': words.fleet.messages, 'data-testid': 'log' },
      h('header', { class: 'log-head' }, h('h2', {}, words.fleet.messages), this.state, this.pause), h('div', { class: 'filters' }, this.text, this.action, this.direction), this.body)
    this.offerActions()
  }

  /** Fetch the newest; `anew` where the filter is another one. */
  async renew(anew = false): Promise<void> {
    if (anew) Object.assign(this, { messages: [], waiting: [], all: false })
    await this.fetch(undefined)
  }

  add(message: Message): void {
    this.actionNames.add(message.action)
    if (!this.fits(message)) return
    if (this.paused) this.waiting.push(message)
    else this.merge([message])
    if (this.messages.length > KEPT) Object.assign(this, { messages: this.messages.slice(0, KEPT), all: false })
    this.draw()
  }

  cut(isCut: boolean): void {
    this.state.textContent = isCut ? words.fleet.streamCut : this.paused ? words.fleet.paused : words.fleet.following
    this.state.classList.toggle('amber', isCut)
  }

  focus(): void {
    this.text.focus()
  }

  private async fetch(before: number | undefined): Promise<void> {
    const turn = ++this.asked
    try {
      const found = await fleetApi.messages(this.chargerId, { limit: PART, ...(before === undefined ? {} : { before }), action: this.action.value, text: this.text.value.trim() })
      if (turn !== this.asked) return // the filter changed meanwhile
      this.all ||= found.length < PART
      for (const { action } of found) this.actionNames.add(action)
      if (before === undefined) this.catchUp(found)
      else this.merge(found)
      this.draw()
    } catch (error) {
      this.body.replaceChildren(h('p', { class: 'empty', role: 'alert' }, wrong(error)))
    }
  }

  /** The newest, after some time without the stream: where they do not reach back to what is here, there would be a hole. */
  private catchUp(found: Message[]): void {
    const newest = this.messages[0]?.frame_id ?? -Infinity
    const fresh = found.filter(({ frame_id }) => frame_id > newest)
    if (fresh.length === found.length && found.length >= PART) Object.assign(this, { messages: [], all: false })
    if (this.paused && this.messages.length) this.waiting.push(...fresh)
    else this.merge(fresh)
  }

  private merge(found: Message[]): void {
    const known = new Set(this.messages.map(keyOf))
    this.messages = [...found.filter((each) => !known.has(keyOf(each))), ...this.messages].sort((a, b) => b.frame_id - a.frame_id || Number(isReply(b)) - Number(isReply(a)))
  }

  private fits(message: Message): boolean {
    const text = this.text.value.trim().toLowerCase()
    return (!this.action.value || message.action === this.action.value) && (!text || message.body.toLowerCase().includes(text))
  }

  private togglePause(): void {
    this.paused = !this.paused
    if (!this.paused) this.merge(this.waiting.splice(0))
    this.cut(false)
    this.draw()
  }

  /** At most once in a frame, however fast they come. */
  private draw(): void {
    if (this.drawing) return
    this.drawing = true
    requestAnimationFrame(() => {
      this.drawing = false
      this.show()
    })
  }

  private show(): void {
    this.offerActions()
    this.pause.textContent = this.paused ? words.fleet.resume(number(this.waiting.length)) : words.fleet.pause
    this.pause.setAttribute('aria-pressed', String(this.paused))
    const shown = this.messages.filter(({ direction }) => !this.direction.value || direction === this.direction.value)
    const filtered = this.action.value || this.text.value.trim() || this.direction.value
    const oldest = this.messages.at(-1)
    patchChildren(this.body, [
      shown.length ? h('ol', { class: 'messages' }, ...shown.map((message) => this.row(message))) : h('p', { class: 'empty' }, filtered ? words.fleet.noSuchMessages : words.fleet.noMessages),
      this.all || !oldest ? h('p', { class: 'quiet small log-end', hidden: !oldest }, words.fleet.allShown) : h('button', { class: 'plain log-end', onclick: () => void this.fetch(oldest.frame_id) }, words.fleet.older),
    ])
  }

  private row(message: Message): HTMLElement {
    const key = keyOf(message), open = this.opened.has(key), inward = message.direction === 'in'
    const toggle = () => {
      if (!this.opened.delete(key)) this.opened.add(key)
      this.draw()
    }
    return h('li', { class: `message ${message.direction} ${message.kind}`, 'data-key': key },
      h('button', { onclick: toggle, 'aria-expanded': String(open) },
        h('time', { datetime: message.at, title: dayAndClock(message.at) }, clockSeconds(message.at)),
        h('span', { class: 'way' }, h('span', { 'aria-hidden': 'true' }, inward ? '←' : '→'), h('span', { class: 'sr' }, inward ? words.fleet.fromCharger : words.fleet.toCharger)),
        h('b', {}, message.action), h('span', { class: 'kind' }, said(words.fleet.kinds, message.kind)),
        message.flag && !isReply(message) && h('span', { class: 'flag amber', lang: 'en', title: message.flag }, message.flag),
        h('code', { class: 'brief quiet' }, open ? '' : payloadOf(message.body))),
      open && h('div', { class: 'body' }, copyButton(message.body, words.fleet.copyMessage), h('pre', { tabindex: 0 }, pretty(message.body))))
  }

  private offerActions(): void {
    const names = [...this.actionNames].sort(), chosen = this.action.value
    if (names.length === this.action.options.length - 1) return
    this.action.replaceChildren(h('option', { value: '' }, words.fleet.anyAction), ...names.map((name) => h('option', { value: name }, name)))
    this.action.value = chosen
  }
}

const isReply = ({ kind }: Message) => kind === 'result' || kind === 'error'
/** A call and its answer may be kept as one. */
const keyOf = (message: Message) => `${message.frame_id} ${message.kind}`

export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

/** What is behind the frame's type, id and action, in one line. */
function payloadOf(body: string): string {
  return body.replace(/^\[\s*\d\s*,\s*"[^"]*"\s*,\s*("\w+"\s*,\s*)?/, '').replace(/\]\s*$/, '')
}
