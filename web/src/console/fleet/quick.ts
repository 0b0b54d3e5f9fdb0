/** The most used commands, ready to send, in the words of the charger's version. */

import { words } from '../../shared/words'
import type { Connector } from './api'

/** `harmless` ones are sent at once, others are filled in and wait for "Send". */
export interface Quick { name: string; action: string; payload: Record<string, unknown>; harmless: boolean }

export function quickCommands(version: string | null, connectors: Connector[]): Quick[] {
  const { quick } = words.fleet, connector = connectors[0]?.connector ?? 1
  if (version === 'ocpp1.6') {
    return [
      { name: quick.status, action: 'TriggerMessage', payload: { requestedMessage: 'StatusNotification' }, harmless: true },
      { name: quick.configuration, action: 'GetConfiguration', payload: {}, harmless: true },
      { name: quick.unlock, action: 'UnlockConnector', payload: { connectorId: connector }, harmless: false },
      { name: quick.availability, action: 'ChangeAvailability', payload: { connectorId: connector, type: 'Inoperative' }, harmless: false },
      { name: quick.reset, action: 'Reset', payload: { type: 'Soft' }, harmless: false },
    ]
  }
  const requestId = Math.floor(Date.now() / 1000) % 2 ** 31
  return [
    { name: quick.status, action: 'TriggerMessage', payload: { requestedMessage: 'StatusNotification', evse: { id: 1, connectorId: 1 } }, harmless: false },
    { name: quick.report, action: 'GetBaseReport', payload: { requestId, reportBase: 'FullInventory' }, harmless: true },
    { name: quick.unlock, action: 'UnlockConnector', payload: { evseId: 1, connectorId: 1 }, harmless: false },
    { name: quick.availability, action: 'ChangeAvailability', payload: { operationalStatus: 'Inoperative', evse: { id: 1 } }, harmless: false },
    { name: quick.reset, action: 'Reset', payload: { type: 'OnIdle' }, harmless: false },
  ]
}
