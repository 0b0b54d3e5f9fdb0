/** The pages that take the whole window, by the first word of the address, and who may see them. */

import { h } from '../shared/dom'
import { words } from '../shared/words'
import { energyPage } from './energy'
import { accountsPage } from './fleet/accounts'
import { adoptPage } from './fleet/adopt'
import { auditPage } from './fleet/audit'
import { chargerPage } from './fleet/charger'
import { chargersPage } from './fleet/list'
import { forecastPage } from './forecast'
import { queuePage } from './queue'
import { promisesPage } from './promises'
import { scoresPage } from './scores'
import type { State, View } from './state'

interface Page { under: string; needs: string; make: (state: State, id: string, text: string) => View }

const FULL: Record<string, Page> = {
  energy: { under: '#/energy', needs: 'see', make: energyPage },
  forecast: { under: '#/forecast', needs: 'see', make: forecastPage },
  scores: { under: '#/forecast', needs: 'see', make: scoresPage },
  queue: { under: '#/queue', needs: 'see', make: queuePage },
  promises: { under: '#/promises', needs: 'see', make: promisesPage },
  chargers: { under: '#/chargers', needs: 'chargers', make: chargersPage },
  charger: { under: '#/chargers', needs: 'chargers', make: chargerPage },
  adopt: { under: '#/chargers', needs: 'adopt', make: adoptPage },
  accounts: { under: '#/accounts', needs: 'accounts', make: accountsPage },
  audit: { under: '#/audit', needs: 'audit', make: auditPage },
}

/** The page of that name, or null where the city's own view belongs there. */
export function fullPage(state: State, kind: string, id: string, text: string): { under: string; make: () => View } | null {
  const page = FULL[kind]
  if (!page) return null
  return { under: page.under, make: () => (state.may(page.needs) ? page.make(state, id, text) : { element: h('p', { class: 'page empty', role: 'alert' }, words.fleet.noRight) }) }
}

/** What the bar at the top leads to. */
export function navigation(state: State): { to: string; name: string }[] {
  const all = [
    ['', words.city], ['energy', words.energy], ['forecast', words.forecast], ['queue', words.queueing.title],
    ['chargers', words.fleet.chargers], ['promises', words.accountable.title],
  ] as const
  return all.filter(([kind]) => state.may(FULL[kind]?.needs ?? 'see')).map(([kind, name]) => ({ to: '#/' + kind, name }))
}
