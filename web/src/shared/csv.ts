/** A table to a file that spreadsheets open as it is. */

import { h } from './dom'

export type Cell = string | number | null

export function saveCsv(name: string, lines: Cell[][]): void {
  const quoted = (value: Cell) => (/[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : (value ?? ''))
  const text = lines.map((line) => line.map(quoted).join(',')).join('\r\n')
  const link = h('a', { href: URL.createObjectURL(new Blob(['\ufeff' + text], { type: 'text/csv' })), download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}

const byName = new Intl.Collator(undefined, { numeric: true })

export function compareCells(a: Cell, b: Cell): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  return typeof a === 'number' && typeof b === 'number' ? a - b : byName.compare(String(a), String(b))
}
