/** The tree of circuits: load against limit, and how urgently more is wanted. */

import { api, type Circuit } from '../shared/api'
import { arrows, h, patchChildren, skeleton } from '../shared/dom'
import { kilowatts, number, share } from '../shared/format'
import { said, words } from '../shared/words'
import type { State, View } from './state'

const RENEW_MS = 3000
const TIGHT = 0.8

export function energyPage(state: State): View {
  const open = new Set<string>()
  let circuits: Circuit[] = [], onlyTight = false, last = 0, first = true
  const box = h('input', { type: 'checkbox', onchange: () => { onlyTight = box.checked; show() } })
  const list = h('div', {}, skeleton(12))
  arrows(list, 'button')
  const element = h('section', { class: 'page energy', 'data-testid': 'energy' },
    h('header', { class: 'page-head' }, h('div', {}, h('h1', {}, words.energyTitle), h('p', { class: 'quiet' }, words.energyNote)), h('label', { class: 'check' }, box, words.onlyBinding)), list)

  const show = () => {
    const below = new Map<string | null, Circuit[]>()
    for (const circuit of circuits) below.set(circuit.parent_id, [...(below.get(circuit.parent_id) ?? []), circuit])
    const rows: HTMLElement[] = []
    const walk = (circuit: Circuit, depth: number) => {
      const children = below.get(circuit.circuit_id) ?? []
      rows.push(circuitRow(circuit, depth, children.length > 0, open.has(circuit.circuit_id), () => { if (!open.delete(circuit.circuit_id)) open.add(circuit.circuit_id); show() }))
      if (open.has(circuit.circuit_id)) for (const child of children) walk(child, depth + 1)
    }
    if (onlyTight) rows.push(...circuits.filter(isTight).sort((a, b) => b.load_kw / b.limit_kw - a.load_kw / a.limit_kw).map((circuit) => circuitRow(circuit, 0, false, false, () => {})))
    else for (const root of below.get(null) ?? []) walk(root, 0)
    const head = h('div', { class: 'circuit head', role: 'row' }, ...[words.circuit, '', words.loadColumn, words.limitColumn, words.shareColumn, words.baseColumn, words.shadowColumn].map((name, n) => h('span', { role: 'columnheader', class: n > 1 ? 'num' : '' }, name)))
    patchChildren(list, [rows.length ? h('div', { role: 'treegrid', 'aria-label': words.energyTitle, class: 'tree' }, head, ...rows) : h('p', { class: 'empty' }, words.noneBinding)])
  }
  const renew = async () => {
    if (Date.now() - last < RENEW_MS) return
    last = Date.now()
    circuits = (await api.energy().catch(() => ({ circuits }))).circuits
    if (first && circuits.length) for (const circuit of circuits) if (circuit.kind !== 'feeder' && circuit.kind !== 'site') open.add(circuit.circuit_id)
    first = first && !circuits.length
    if (circuits.length) show()
  }
  void renew()
  return { element, stop: state.on('live', () => void renew()) }
}

const isTight = (circuit: Circuit) => circuit.shadow_price > 0 || circuit.load_kw > TIGHT * circuit.limit_kw

function circuitRow(circuit: Circuit, depth: number, hasChildren: boolean, isOpen: boolean, toggle: () => void): HTMLElement {
  const used = circuit.load_kw / circuit.limit_kw, base = Math.min(circuit.base_kw, circuit.load_kw) / circuit.limit_kw
  const tone = used > 1 ? 'bad' : used > TIGHT ? 'tight' : ''
  const name = `${said(words.circuitKinds, circuit.kind)} ${circuit.circuit_id === circuit.kind ? '' : circuit.circuit_id.replace(circuit.kind + '-', '')}`
  return h('div', { class: 'circuit ' + circuit.kind, role: 'row', 'aria-level': depth + 1, 'aria-expanded': hasChildren ? String(isOpen) : null, 'data-key': circuit.circuit_id },
    h('span', { role: 'gridcell', class: 'circuit-name', style: `padding-left:${depth * 18}px` }, h('button', { class: 'twist', onclick: toggle, disabled: !hasChildren, 'aria-label': (isOpen ? words.collapse : words.expand)(name) }, h('span', { 'aria-hidden': 'true' }, hasChildren ? (isOpen ? '▾' : '▸') : '·'), ' ', name)),
    h('span', { role: 'gridcell', class: 'meter wide ' + tone }, h('i', { style: `width:${Math.min(100, used * 100)}%` }), h('i', { class: 'base', style: `width:${Math.min(100, base * 100)}%` })),
    h('span', { role: 'gridcell', class: 'num' }, kilowatts(circuit.load_kw)), h('span', { role: 'gridcell', class: 'num quiet' }, kilowatts(circuit.limit_kw)),
    h('span', { role: 'gridcell', class: 'num ' + (tone ? 'amber' : '') }, `${tone === 'tight' ? words.tight + ' ' : tone ? words.overLimit + ' ' : ''}${share(used)}`),
    h('span', { role: 'gridcell', class: 'num quiet' }, kilowatts(circuit.base_kw)), h('span', { role: 'gridcell', class: 'num' + (circuit.shadow_price ? ' amber' : ' quiet') }, number(circuit.shadow_price, 2)))
}
