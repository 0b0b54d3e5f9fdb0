/** A charger's health as a shape and a word: never the colour alone. */

import { h, svg } from '../../shared/dom'
import { words } from '../../shared/words'
import type { Health } from './api'

const SHAPES: Record<Health, [body: string, sign: string]> = {
  ok: ['M6 .5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11Z', 'M3.4 6.2 5.3 8.1 8.7 4.3'],
  warning: ['M6 .6 11.8 11.4H.2Z', 'M6 4.6v3M6 9.2v.5'],
  fault: ['M3.6.3h4.8l3.3 3.3v4.8l-3.3 3.3H3.6L.3 8.4V3.6Z', 'M4 4l4 4M8 4l-4 4'],
  offline: ['M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10Z', 'M3.6 6h4.8'],
  quarantined: ['M.8.8h10.4v10.4H.8Z', 'M4.4 4.5a1.7 1.7 0 1 1 2.5 1.5c-.7.4-.9.7-.9 1.3M6 9.2v.4'],
}

export function healthMark(health: Health): SVGSVGElement {
  const [body, sign] = SHAPES[health]
  return svg('svg', { class: 'health-mark ' + health, viewBox: '0 0 12 12', 'aria-hidden': 'true' }, svg('path', { d: body }), svg('path', { d: sign, class: 'sign' }))
}

export const healthWord = (health: Health): HTMLElement => h('span', { class: 'health-word' }, healthMark(health), words.fleet.health[health])
