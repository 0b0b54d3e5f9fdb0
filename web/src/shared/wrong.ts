/** What went wrong, in a sentence. */

import { Problem } from './api'
import { words } from './words'

export function wrong(error: unknown): string {
  if (!(error instanceof Problem)) return words.failed(String(error))
  return error.status === 0 ? words.noReply : words.failed(error.detail)
}
