/** Numbers, units, money and times by the page's language, in the city's time zone. */

import { language, words } from './words'

let timeZone = 'UTC'
export const setTimeZone = (zone: string) => { timeZone = zone; dateFormats.clear() }

const numbers = new Map<string, Intl.NumberFormat>()
const dateFormats = new Map<string, Intl.DateTimeFormat>()

function format(value: number, options: Intl.NumberFormatOptions): string {
  const key = JSON.stringify(options)
  let found = numbers.get(key)
  if (!found) numbers.set(key, (found = new Intl.NumberFormat(language, options)))
  return found.format(value)
}

function dated(value: string | number | Date, options: Intl.DateTimeFormatOptions): string {
  const key = JSON.stringify(options)
  let found = dateFormats.get(key)
  if (!found) dateFormats.set(key, (found = new Intl.DateTimeFormat(language, { ...options, timeZone })))
  return found.format(new Date(value))
}

const fixed = (digits: number) => ({ minimumFractionDigits: digits, maximumFractionDigits: digits })
const unit = (name: string, digits = 0): Intl.NumberFormatOptions => ({ style: 'unit', unit: name, unitDisplay: 'short', ...fixed(digits) })

export const NONE = '–'
export const number = (value: number, digits = 0) => format(value, fixed(digits))
export const share = (value: number) => format(value, { style: 'percent', maximumFractionDigits: 0 })
export const minutes = (value: number) => format(Math.max(0, Math.round(value)), unit('minute'))
export const minutesOr = (value: number | null | undefined) => (value === null || value === undefined ? NONE : minutes(value))
export const milliseconds = (value: number) => (value < 1000 ? `${number(value)} ms` : `${number(value / 1000, 1)} s`)
export const kilometres = (value: number) => format(value, unit('kilometer', 1))
export const kilograms = (value: number) => (value >= 10_000 ? `${number(value / 1000, 1)} t` : format(value, unit('kilogram', value < 10 ? 1 : 0)))
export const kilowatts = (value: number) => `${number(value, Math.abs(value) < 100 ? 1 : 0)} kW`
export const kilowattHours = (value: number) => (value >= 20_000 ? `${number(value / 1000, 1)} MWh` : `${number(value, Math.abs(value) < 100 ? 1 : 0)} kWh`)
export const money = (value: number | string) =>
  format(Number(value), { style: 'currency', currency: 'CNY', currencyDisplay: 'narrowSymbol' })
export const moneySigned = (value: number) => format(value, { ...fixed(2), signDisplay: 'exceptZero' })

/** Power in kW, or MW where a city's worth of it is meant: the number and its unit apart. */
export const power = (kw: number): [string, string] => (kw >= 10_000 ? [number(kw / 1000, 1), 'MW'] : [number(kw, kw < 100 ? 1 : 0), 'kW'])

export const clock = (at: string | number | Date) => dated(at, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
export const clockSeconds = (at: string | number | Date) => dated(at, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
export const dayAndClock = (at: string | number | Date) =>
  dated(at, { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
export const hourOf = (at: string | number | Date) => Number(clock(at).slice(0, 2))

const style = new Intl.RelativeTimeFormat(language, { style: 'short', numeric: 'always' })

/** "in 6 min", "2 hr ago"; `now` is the city's, which may run faster than the wall clock. */
export function relative(at: string, now: number): string {
  const seconds = (Date.parse(at) - now) / 1000
  if (Math.abs(seconds) < 45) return words.justNow
  if (Math.abs(seconds) < 3570) return style.format(Math.round(seconds / 60), 'minute')
  if (Math.abs(seconds) < 86400) return style.format(Math.round(seconds / 3600), 'hour')
  return style.format(Math.round(seconds / 86400), 'day')
}
