/** One sentence for a shortage, in the page's language. */

import { clock, number, share } from '../shared/format'
import type { Outlook, Shortage } from '../shared/outlook'
import { words } from '../shared/words'

export function shortageSentence({ zone_id, more_bays, begin, end, probability }: Shortage): string {
  const bays = Math.max(1, Math.round(more_bays)), span = [clock(begin), clock(end), share(probability)] as const
  return bays === 1 ? words.outlook.shortageOne(zone_id, ...span) : words.outlook.shortage(zone_id, number(bays), ...span)
}

/** Of a zone at an instant, if bays are short there then. */
export function shortAt(outlook: Outlook | null, at: string): Map<string, Shortage> {
  const found = new Map<string, Shortage>(), then = Date.parse(at)
  for (const { shortage } of outlook?.shortages ?? []) if (Date.parse(shortage.begin) <= then && then < Date.parse(shortage.end)) found.set(shortage.zone_id, shortage)
  return found
}
