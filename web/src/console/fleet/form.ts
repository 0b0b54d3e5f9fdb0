/** A form made from a JSON schema, as OCPP's requests are described: texts, numbers, choices, nested objects, lists. */

import { h } from '../../shared/dom'
import { words } from '../../shared/words'

export interface Schema {
  type?: string; $ref?: string; definitions?: Record<string, Schema>; description?: string
  properties?: Record<string, Schema>; required?: string[]; items?: Schema; minItems?: number
  enum?: string[]; format?: string; maxLength?: number; minimum?: number; maximum?: number; multipleOf?: number
}

/** Something to fill in; its value is undefined where it is left out. */
export interface Field { element: HTMLElement; value: () => unknown }

type Make = (schema: Schema, name: string, needed: boolean, initial: unknown) => Field
const NOT_ASKED = new Set(['customData']) // any maker's own; as JSON it can be sent

/** The form of a whole request, filled with `initial`. Wire names are its labels. */
export function schemaForm(root: Schema, initial: Record<string, unknown>): Field {
  const resolved = (schema: Schema): Schema => (schema.$ref ? { ...root.definitions?.[schema.$ref.split('/').at(-1) ?? ''], ...schema, $ref: '' } : schema)
  const make: Make = (unresolved, name, needed, value) => {
    const schema = resolved(unresolved)
    if (schema.type === 'object' && schema.properties) return removable(needed, name, value, (now) => group(schema, name, now, make))
    if (schema.type === 'array' && schema.items) return removable(needed, name, value, (now) => list(schema, name, now, make))
    return single(schema, name, needed, value)
  }
  return group(resolved(root), '', initial, make)
}

/** A part that can be left out: there when it is needed or filled, else behind a button. Made only then, for schemas may nest in themselves. */
function removable(needed: boolean, name: string, initial: unknown, make: (initial: unknown) => Field): Field {
  if (needed) return make(initial)
  const element = h('div', { class: 'removable' })
  let field: Field | null = null
  const add = (value: unknown) => {
    field = make(value)
    element.replaceChildren(field.element, h('button', { type: 'button', class: 'plain small', onclick: remove }, words.fleet.remove(name)))
  }
  const remove = () => {
    field = null
    element.replaceChildren(h('button', { type: 'button', class: 'plain small', onclick: () => { add(undefined); element.querySelector<HTMLElement>('input, select')?.focus() } }, '+ ' + words.fleet.add(name)))
  }
  if (initial === undefined) remove()
  else add(initial)
  return { element, value: () => field?.value() }
}

function group(schema: Schema, name: string, initial: unknown, make: Make): Field {
  const needed = new Set(schema.required), values = (initial ?? {}) as Record<string, unknown>
  const names = Object.keys(schema.properties ?? {}).filter((each) => !NOT_ASKED.has(each))
  names.sort((a, b) => Number(needed.has(b)) - Number(needed.has(a)))
  const fields = names.map((each) => [each, make(schema.properties?.[each] ?? {}, each, needed.has(each), values[each])] as const)
  const inner = fields.map(([, field]) => field.element)
  const element = name ? h('fieldset', {}, h('legend', {}, name), ...inner) : h('div', { class: 'form-body' }, ...(inner.length ? inner : [h('p', { class: 'quiet' }, words.fleet.nothingToSay)]))
  return { element, value: () => Object.fromEntries(fields.map(([each, field]) => [each, field.value()]).filter(([, value]) => value !== undefined)) }
}

function list(schema: Schema, name: string, initial: unknown, make: Make): Field {
  const items = new Map<HTMLElement, Field>()
  const rows = h('div', { class: 'items' })
  const add = (value: unknown) => {
    const field = make(schema.items ?? {}, words.fleet.item(items.size + 1), true, value)
    const row = h('div', { class: 'item' }, field.element, h('button', { type: 'button', class: 'plain small', onclick: () => { items.delete(row); row.remove() } }, words.fleet.remove(name)))
    items.set(row, field)
    rows.append(row)
  }
  for (const value of (initial as unknown[] | undefined) ?? Array<undefined>(Math.max(1, schema.minItems ?? 1)).fill(undefined)) add(value)
  const element = h('fieldset', {}, h('legend', {}, name), rows, h('button', { type: 'button', class: 'plain small', onclick: () => add(undefined) }, '+ ' + words.fleet.add(name)))
  return { element, value: () => [...items.values()].map((field) => field.value()).filter((value) => value !== undefined) }
}

function single(schema: Schema, name: string, needed: boolean, initial: unknown): Field {
  const { control, read } = schema.enum || schema.type === 'boolean' ? choice(schema, needed, initial) : typed(schema, needed, initial)
  const hint = schema.description?.split(/\r?\n/).map((line) => line.trim()).filter((line) => line && !line.startsWith('urn:')).at(-1)
  const element = h('label', { class: 'field', title: hint }, h('span', {}, h('code', {}, name), needed && h('span', { class: 'quiet small' }, ' ' + words.fleet.required), schema.format === 'date-time' && h('span', { class: 'quiet small' }, ' ' + words.fleet.inUtc)), control)
  return { element, value: () => (control.value === '' ? undefined : read(control.value)) }
}

interface Control { control: HTMLInputElement | HTMLSelectElement; read: (text: string) => unknown }

function choice(schema: Schema, needed: boolean, initial: unknown): Control {
  const names = schema.enum ?? ['true', 'false']
  const control = h('select', { required: needed }, h('option', { value: '' }, '–'), ...names.map((name) => h('option', { value: name }, name)))
  control.value = initial === undefined ? '' : String(initial)
  return { control, read: (text) => (schema.enum ? text : text === 'true') }
}

function typed(schema: Schema, needed: boolean, initial: unknown): Control {
  if (schema.format === 'date-time') {
    const control = h('input', { type: 'datetime-local', step: 1, required: needed, value: typeof initial === 'string' ? initial.slice(0, 19) : '' })
    return { control, read: (text) => (text.length === 16 ? text + ':00Z' : text.slice(0, 19) + 'Z') }
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    const step = schema.type === 'integer' ? 1 : (schema.multipleOf ?? 'any')
    const control = h('input', { type: 'number', step, min: schema.minimum, max: schema.maximum, required: needed, value: initial as number | undefined })
    return { control, read: Number }
  }
  const plain = schema.type === 'string'
  const control = h('input', { maxlength: schema.maxLength, required: needed, spellcheck: 'false', value: initial === undefined ? '' : plain ? String(initial) : JSON.stringify(initial) })
  return { control, read: (text) => (plain ? text : anyValue(text)) }
}

/** Where any type is allowed: JSON if it is some, else the text itself. */
function anyValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
