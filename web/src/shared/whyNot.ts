/** Why an offer lost against the chosen one, in the page's language (the same reasoning as recommendation/explain.py). */

import type { Offer } from './api'
import { minutes, money } from './format'
import { words } from './words'

const WORTH_SAYING_MIN = 1
const WORTH_SAYING_CNY = 0.5
const TOLD = 2

const isNearer = (other: Offer, chosen: Offer) => other.drive_min <= chosen.drive_min - WORTH_SAYING_MIN
const isCheaper = (other: Offer, chosen: Offer) => Number(chosen.amount) - Number(other.amount) >= WORTH_SAYING_CNY

/** Two that lost: those that have something over the chosen one first. */
export function alternatives(offers: Offer[], chosen: Offer): Offer[] {
  const others = offers.filter((offer) => offer.station_id !== chosen.station_id)
  const nearer = others.find((offer) => isNearer(offer, chosen)), cheaper = others.find((offer) => offer !== nearer && isCheaper(offer, chosen))
  return [nearer, cheaper, ...others.filter((offer) => offer !== nearer && offer !== cheaper)].filter((offer) => offer !== undefined).slice(0, TOLD)
}

/** A sentence about it, with its name and what it has over the chosen one. */
export function whyNotOf(name: string, other: Offer, chosen: Offer): string {
  if (isNearer(other, chosen)) return words.nearer(name, minutes(chosen.drive_min - other.drive_min), whyNot(other, chosen))
  if (isCheaper(other, chosen)) return words.cheaper(name, money(Number(chosen.amount) - Number(other.amount)), whyNot(other, chosen))
  return words.lostBecause(name, whyNot(other, chosen))
}

/** The heaviest term that speaks against it. */
export function whyNot(other: Offer, chosen: Offer): string {
  const difference = (name: string) => (other.terms[name] ?? 0) - (chosen.terms[name] ?? 0)
  const worst = other.against || Object.keys(chosen.terms).sort((a, b) => difference(b) - difference(a))[0] || ''
  const whole = (value: number) => minutes(Math.max(1, value))
  switch (worst) {
    case 'wait': return words.butWait(whole(other.wait_min))
    case 'drive':
    case 'distance': return words.butFarther(whole(other.drive_min - chosen.drive_min))
    case 'charge': return words.butLonger(whole(other.charge_min - chosen.charge_min))
    case 'amount': return words.butCosts(money(Number(other.amount) - Number(chosen.amount)))
    default: return words.against[worst] ?? words.termNames[worst] ?? worst
  }
}
