/** One charger's event stream: its messages as they come, and itself when something about it changes. */

import { api, eventsUrl } from '../../shared/api'
import type { ChargerDetail, Message } from './api'

const RETRY_MS = 3000

export interface Ears {
  onOpen: () => void // also after each reconnection: what was missed is to be fetched
  onCut: () => void
  onMessage: (message: Message) => void
  onState: (charger: ChargerDetail) => void
}

/** Listen; returns how to stop. */
export function listenTo(chargerId: string, ears: Ears): () => void {
  let source: EventSource | null = null, timer = 0
  const open = () => {
    source = new EventSource(eventsUrl(`chargers/${encodeURIComponent(chargerId)}/events`))
    source.onopen = ears.onOpen
    source.addEventListener('message', (event) => ears.onMessage(JSON.parse((event as MessageEvent<string>).data) as Message))
    source.addEventListener('state', (event) => ears.onState(JSON.parse((event as MessageEvent<string>).data) as ChargerDetail))
    source.onerror = () => {
      source?.close()
      ears.onCut()
      void api.me().catch(() => {}) // where the session has ended, this is what finds out
      timer = setTimeout(open, RETRY_MS)
    }
  }
  open()
  return () => {
    clearTimeout(timer)
    source?.close()
  }
}
