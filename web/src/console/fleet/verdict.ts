/** What became of a command, in a sign and a word. */

import { said, words } from '../../shared/words'
import type { Answer } from './api'

const GOOD = new Set(['Accepted', 'Unlocked', 'RebootRequired'])

/** `answer` is null while there is none; `problem`: why there will be none. */
export function verdictOf(answer: Answer | null, problem: string): { tone: string; text: string } {
  if (problem) return { tone: 'bad', text: '✕ ' + problem }
  if (!answer) return { tone: 'quiet', text: words.fleet.sending }
  if (answer.status !== 'answered') return { tone: 'bad', text: `✕ ${said(words.fleet.outcomes, answer.status)}${answer.code ? ': ' + answer.code : ''}` }
  const status = statusIn(answer.payload)
  if (status === null) return { tone: 'good', text: '✓ ' + words.fleet.outcomes['answered'] }
  return GOOD.has(status) ? { tone: 'good', text: '✓ ' + status } : { tone: 'amber', text: '! ' + status }
}

/** How most answers say whether it will be done; those about variables say it of each, the first that is not well counts. */
function statusIn(payload: Record<string, unknown>): string | null {
  const results = payload['setVariableResult'] as { attributeStatus: string }[] | undefined
  const found = results ? (results.find((each) => !GOOD.has(each.attributeStatus)) ?? results[0])?.attributeStatus : payload['status']
  return typeof found === 'string' ? found : null
}
