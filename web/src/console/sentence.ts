/** One sentence for a decision, in the page's language, made of the offers' terms (the same reasoning as recommendation/explain.py). */

import type { Decision, Offer } from '../shared/api'
import { minutes, money } from '../shared/format'
import { words } from '../shared/words'

const WORTH_SAYING_MIN = 1
const WORTH_SAYING_CNY = 0.5

export function sentence(decision: Decision, nameOf: (stationId: string) => string): string {
  const { chosen, offers } = decision
  if (!chosen) return words.noStationCould
  const [drive, wait, charge] = [chosen.drive_min, chosen.wait_min, chosen.charge_min].map(Math.round) as [number, number, number]
  const sum = words.sum(minutes(drive + wait + charge), String(drive), String(wait), String(charge))
  const parts = [words.sentence(nameOf(chosen.station_id), sum, money(chosen.amount))]
  const others = offers.filter((offer) => offer.station_id !== chosen.station_id)
  const nearer = others.find((offer) => offer.drive_min <= chosen.drive_min - WORTH_SAYING_MIN)
  if (nearer) parts.push(words.nearer(nameOf(nearer.station_id), minutes(chosen.drive_min - nearer.drive_min), but(nearer, chosen)))
  const cheaper = others.find((offer) => offer !== nearer && Number(chosen.amount) - Number(offer.amount) >= WORTH_SAYING_CNY)
  if (cheaper) parts.push(words.cheaper(nameOf(cheaper.station_id), money(Number(chosen.amount) - Number(cheaper.amount)), but(cheaper, chosen)))
  return parts.join(words.sentenceJoin) + words.sentenceEnd
}

/** The heaviest term that speaks against `other`. */
function but(other: Offer, chosen: Offer): string {
  const difference = (name: string) => (other.terms[name] ?? 0) - (chosen.terms[name] ?? 0)
  const worst = Object.keys(chosen.terms).sort((a, b) => difference(b) - difference(a))[0] ?? ''
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
