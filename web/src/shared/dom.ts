/** Elements from code, and a patch that brings a tree up to date in place, so that focus, scroll and hover stay. */

type Child = Node | string | number | false | null | undefined
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>

const SVG = 'http://www.w3.org/2000/svg'
const HANDLERS = ['onclick', 'oninput', 'onchange', 'onkeydown', 'onsubmit', 'onmouseenter'] as const

function made<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    if (typeof value === 'function') Object.assign(element, { [name]: value })
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map((child) => (typeof child === 'number' ? String(child) : (child as Node | string))))
  return element
}

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  return made(document.createElement(tag), attributes, children)
}

export function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): SVGElementTagNameMap[K] {
  return made(document.createElementNS(SVG, tag), attributes, children)
}

/** Make `old` look like `fresh`. Children with `data-key` are matched by it, others by place. */
export function patch(old: Element, fresh: Element): void {
  const opened = old instanceof HTMLDetailsElement // by who reads it, and stays so
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !(opened && name === 'open')) old.removeAttribute(name)
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value)
  if (old instanceof HTMLElement && fresh instanceof HTMLElement) for (const name of HANDLERS) old[name] = fresh[name] as never
  patchChildren(old, [...fresh.childNodes])
}

export function patchChildren(parent: Element, wanted: Node[]): void {
  const keyed = new Map<string, Element>()
  for (const child of parent.children) {
    const key = child.getAttribute('data-key')
    if (key !== null) keyed.set(key, child)
  }
  wanted.forEach((fresh, place) => {
    const key = fresh instanceof Element ? fresh.getAttribute('data-key') : null
    const here = parent.childNodes[place]
    const match = key !== null ? keyed.get(key) : here
    if (match && alike(match, fresh)) {
      if (match !== here) parent.insertBefore(match, here ?? null)
      if (match instanceof Element) patch(match, fresh as Element)
      else if (match.nodeValue !== fresh.nodeValue) match.nodeValue = fresh.nodeValue
    } else {
      parent.insertBefore(fresh, here ?? null)
    }
  })
  while (parent.childNodes.length > wanted.length) parent.lastChild?.remove()
}

function alike(a: Node, b: Node): boolean {
  if (a.nodeName !== b.nodeName) return false
  return !(a instanceof Element) || a.getAttribute('data-key') === (b as Element).getAttribute('data-key')
}

/** Arrow keys, Home and End move the focus among `selector` inside `list`. */
export function arrows(list: HTMLElement, selector: string): void {
  list.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key]
    if (step === undefined) return
    const items = [...list.querySelectorAll<HTMLElement>(selector)].filter((item) => item.offsetParent !== null)
    const at = items.indexOf(document.activeElement as HTMLElement)
    if (at < 0) return
    event.preventDefault()
    items[Math.min(Math.max(at + step, 0), items.length - 1)]?.focus()
  })
}

export const skeleton = (lines: number): HTMLElement =>
  h('div', { class: 'skeleton', 'aria-hidden': 'true' }, ...Array.from({ length: lines }, () => h('i')))
