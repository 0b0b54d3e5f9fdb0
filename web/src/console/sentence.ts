/** One sentence for a decision, in the page's language, made of the offers' terms: the choice, and two that lost and why. */

import type { Decision } from '../shared/api'
import { minutes, money } from '../shared/format'
import { alternatives, whyNotOf } from '../shared/whyNot'
import { words } from '../shared/words'

export function sentence(decision: Decision, nameOf: (stationId: string) => string): string {
  const { chosen, offers } = decision
  if (!chosen) return words.noStationCould
  const [drive, wait, charge] = [chosen.drive_min, chosen.wait_min, chosen.charge_min].map(Math.round) as [number, number, number]
  const sum = words.sum(minutes(drive + wait + charge), String(drive), String(wait), String(charge))
  const parts = [words.sentence(nameOf(chosen.station_id), sum, money(chosen.amount))]
  for (const other of alternatives(offers, chosen)) parts.push(whyNotOf(nameOf(other.station_id), other, chosen))
  return parts.join(words.sentenceJoin) + words.sentenceEnd
}
