/** English. Every other language has exactly these keys (checked by the compiler). */

import { accountable } from './accountable.en'
import { fleet } from './fleet.en'
import { outlook } from './outlook.en'
import { queueing } from './queueing.en'

type Names = Readonly<Record<string, string>>

const termNames: Names = {
  drive: 'Driving time', detour: 'Way round', v2g: 'Energy given back', wait: 'Waiting time', charge: 'Charging time', amount: 'What the driver pays', utilisation: 'Even use of bays',
  regional_load: 'Load of the grid there', energy_price: 'Price of energy', distance: 'Distance', priority: 'Done too late',
  demand_intensity: 'Others expected there', uncertainty: 'Risk of a longer wait', preference: 'The driver’s own order',
}
const against: Names = {
  utilisation: 'would leave the bays elsewhere less evenly used', regional_load: 'draws on a part of the grid that is loaded more',
  energy_price: 'draws its energy at dearer hours', priority: 'would be done too late', demand_intensity: 'has more drivers expected there', uncertainty: 'may make you wait much longer',
  preference: 'comes later in the order asked for', detour: 'is more out of the way', v2g: 'earns less for energy given back',
}
const statuses: Names = {
  available: 'free', preparing: 'plugging in', charging: 'charging', suspended_ev: 'paused by vehicle', suspended_evse: 'paused by charger',
  finishing: 'finishing', reserved: 'reserved', unavailable: 'out of service', faulted: 'faulty',
}
const siteTypes: Names = { residential: 'residential', office: 'office', public: 'public', highway_service: 'highway service' }
const circuitKinds: Names = { region: 'Region', transformer: 'Transformer', feeder: 'Feeder', site: 'Site' }

export const en = {
  fleet, queueing, accountable, outlook,
  languageSwitch: '中文', switchTo: 'Switch to Chinese', language: 'English',
  justNow: 'just now', loading: 'Loading…', close: 'Close', back: 'Back', all: 'All', now: 'now', tryAgain: 'Try again', none: 'none',
  noReply: 'No connection to the server. Check your network; the page goes on by itself once it is back.',
  starting: 'The loop is starting; the first picture comes in a few seconds.',
  logIn: 'Log in', logInTitle: 'Log in to Chargeloop', accountName: 'Name', password: 'Password', wrongPassword: 'Name or password is wrong.',
  logInHelp: 'No account? Ask an operator of this platform for one. With an API token, open this page with ?token= and the token instead.',
  notFound: (what: string) => `Not found: ${what}`, failed: (why: string) => `That did not work: ${why}`,
  driving: 'drive', waiting: 'wait', charging: 'charge',
  sum: (total: string, drive: string, wait: string, charge: string) => `${total} = ${drive} drive + ${wait} wait + ${charge} charge`,

  // console: frame
  skip: 'Skip to content', city: 'City', energy: 'Energy', forecast: 'Forecast', driverPage: 'Driver page', pages: 'Pages',
  search: 'Find a station', searchHint: 'Name, number or zone', nothingFound: 'No station of that name.', help: 'Keyboard help',
  map: 'Map', table: 'Table', mapOrTable: 'Map or table',
  live: 'live', cut: 'cut off', cutSince: (age: string) => `cut off · figures are ${age} old · reconnecting`, ageNow: (age: string) => `live · ${age} old`,
  secondsShort: (n: number) => `${n} s`, minutesShort: (n: number) => `${n} min`, waitingForServer: 'connecting',
  cityTime: 'Time in the city', aboutData: 'About this data',
  noWebGl: 'This browser draws no maps (WebGL is missing): here is the same as a table.',
  keys: [['/', 'find a station or a charger'], ['↑ ↓', 'move in lists'], ['Enter', 'open'], ['Esc', 'close the panel, one page up'], ['t', 'map or table'], ['1 2 3 …', 'the pages, in their order'], ['?', 'this help']] as readonly (readonly [string, string])[],

  // console: figures
  figures: 'Key figures', load: 'Load', ofLimit: (limit: string) => `of ${limit}`, ofAll: (n: string) => `of ${n}`, busyBays: 'Busy bays', waitingDrivers: 'Drivers waiting',
  inMinutes: (n: number) => `in ${n} min`, saved: 'Time saved today', savedNote: 'against nearest station', carbon: 'CO₂ today', carbonNote: (kwh: string) => `for ${kwh}`,
  served: 'Served', servedNote: (n: string) => `of ${n} requests today`, meanWait: (wait: string) => `mean wait ${wait}`, minutesUnit: 'min', hours: 'h',

  // console: city
  mapLabel: 'Map of the city with its stations and the forecast of charging', legendBays: 'area: bays', legendBusy: 'fill: busy share', legendQueue: 'amber ring: queue', legendHeat: 'glow: forecast demand', legend: 'Legend', legendOut: 'grey: out of order',
  hourLabel: 'Hour of the forecast', hourNow: 'This hour', expected: (q50: string, q10: string, q90: string) => `${q50} expected (${q10} to ${q90})`,
  decisions: 'Latest decisions', noDecisions: 'No decision yet: they appear here as drivers ask.', noStation: 'no station could serve this',
  why: 'Why', opens: (name: string) => `Open ${name}`,
  tip: (busy: string, bays: string) => `${busy} of ${bays} bays busy`, tipQueue: (n: string) => `${n} waiting`,
  exportCsv: 'Export CSV', stationsCount: (n: string) => `${n} stations`,
  columns: { station: 'Station', zone: 'Zone', operator: 'Operator', bays: 'Bays', busy: 'Busy', free: 'Free', queue: 'Queue', inbound: 'On the way', out: 'Out of order', waitDc: 'Wait DC (min)', waitAc: 'Wait AC (min)', power: 'Power (kW)' },

  // console: station
  station: 'Station', operator: 'Operator', zone: 'Zone', siteTypes, statuses,
  bays: 'Bays', queue: 'Queue', queueOf: (n: string) => `${n} in the queue`, inboundOf: (n: string) => `${n} on the way`, freeOf: (free: string, bays: string) => `${free} of ${bays} free`,
  expectedWait: 'Expected wait', in30: '+30 min', in60: '+60 min', waitBand: 'Eight of ten waits lie between these', fast: 'Fast (DC)', slow: 'Slow (AC)', noBay: 'no bay in order',
  powerOfLimit: 'Power at this connection', otherLoad: 'with the building’s own load',
  sessions: 'Sessions and their deadlines', sessionsNote: 'Each bar runs from plugging in to the time the driver leaves; filled: energy delivered; steps: planned power.',
  noSessions: 'Nobody is plugged in now.', leaves: (at: string) => `leaves ${at}`, leavesUnknown: 'leaving time unknown', done: 'charged, still plugged in',
  deliveredOf: (a: string, b: string) => `${a} of ${b}`, planFrom: (kw: string) => `plan ${kw}`, ocpp: 'by OCPP', offline: 'not connected', reservedUntil: (at: string) => `until ${at}`,
  prices: 'Price by hour', priceNow: (price: string) => `now ${price} per kWh`, energyPart: 'energy', servicePart: 'service',
  recent: 'Recent sessions', noRecent: 'No session yet.', started: 'Started', ended: 'Ended', bay: 'Bay', energyColumn: 'Energy', open: 'running',
  sentHere: 'Decisions that sent drivers here', noneSent: 'No driver was sent here yet.', noCharger: 'No charger connected yet: point one at this server’s OCPP address with the bay’s name.',

  // console: why
  whyTitle: 'Why this station', decision: 'Decision', asked: 'Asked', vehicle: 'Vehicle', battery: 'Battery', toSoc: (from: string, to: string) => `${from} → ${to}`, leaveBy: 'Leaves by', solver: 'Solver',
  sentence: (name: string, sum: string, amount: string) => `${name}: ${sum}, ${amount}`,
  nearer: (name: string, by: string, but: string) => `${name} is ${by} nearer, but ${but}`,
  cheaper: (name: string, by: string, but: string) => `${name} is ${by} cheaper, but ${but}`,
  lostBecause: (name: string, why: string) => `${name} ${why}`, whyLost: 'Why it lost',
  butWait: (m: string) => `expects a wait of ${m}`, butFarther: (m: string) => `is ${m} farther`, butLonger: (m: string) => `charges ${m} longer`, butCosts: (m: string) => `costs ${m} more`,
  against, termNames, sentenceEnd: '.', sentenceJoin: '; ',
  noOther: 'No other station came into question.', noStationCould: 'No station could serve this request.',
  termsTitle: 'What was weighed', termsNote: 'Terms of the objective in CNY; the lowest sum is best.', objective: 'Sum', chosen: 'chosen', facts: 'Facts',
  rowDrive: 'Drive', rowWait: 'Wait (9 of 10 times at most)', rowCharge: 'Charge', rowEnergy: 'Energy', rowArrival: 'Battery on arrival', rowAmount: 'Amount',
  promised: 'Promised and happened', promise: 'Promised', happened: 'Happened', waitWord: 'Wait', amountWord: 'Amount', notYet: 'not yet', notOver: 'The session has not ended yet; what happened appears here.', kept: 'kept', missed: 'missed',
  routeTo: 'The way there', routeFacts: (km: string, min: string, kwh: string) => `${km}, ${min}, ${kwh}`, noRoute: 'The way cannot be shown.', straight: 'estimated by straight line', decisionGone: 'This decision is not on record.',

  // console: energy
  energyTitle: 'Circuits', energyNote: 'Load against limit from the region down to each site. The shadow price (0 to 1) says how urgent the most urgent session is that a circuit holds back; 0 where it has room.',
  circuit: 'Circuit', circuitKinds, loadColumn: 'Load', limitColumn: 'Limit', shareColumn: 'Used', baseColumn: 'Other load', plannedColumn: 'Planned', shadowColumn: 'Shadow price',
  binding: 'limit binds', expand: (name: string) => `Open ${name}`, collapse: (name: string) => `Close ${name}`, onlyBinding: 'Only where the limit binds or use is above 80 %', noneBinding: 'No circuit is near its limit.', tight: 'tight', overLimit: 'over limit',

  // console: forecast
  forecastTitle: 'Charging demand, next 24 hours', wholeCity: 'The whole city', zoneChoice: 'Zone', forecastNote: 'kWh in each hour; the band holds 8 of 10 outcomes.', madeAt: (at: string) => `From the hour of ${at}`, median: 'expected', band: '10 to 90 %',
  peak: 'Peak', peakAt: (hour: string, q50: string, q10: string, q90: string) => `${hour}: ${q50} (${q10} to ${q90})`, dayTotal: (q50: string) => `${q50} in 24 hours`, busiest: 'Busiest zones at the peak', asTable: 'As a table', hour: 'Hour',

  // driver
  driverTitle: 'Charge where it suits you', where: 'You are here', whereHint: 'Tap the map, or drag the dot', locate: 'Use my position', locating: 'Finding you…', locateDenied: 'Your position is not shared: tap the map instead.', locateOutside: 'You are outside this city: tap the map instead.',
  driverMap: 'Map: tap where you are', batteryNow: 'Battery now', vehicleLabel: 'Vehicle', stay: 'How long can you stay?', leaveAt: 'or leave by', hoursShort: (n: number) => `${n} h`, overnight: 'overnight', kindOfCharging: 'Charging', sortBy: 'Show first',
  sorts: { soonest: 'Soonest', cheapest: 'Cheapest', nearest: 'Nearest' }, find: 'Find a charger', finding: 'Looking at every station…', speedNote: 'Target 80 %',
  notNowTitle: 'No hurry', notNow: (soc: string, at: string) => `You have ${soc}, enough to wait until ${at}.`, notNowCheaper: (saves: string) => ` The same charge is ${saves} cheaper then.`, notNowSooner: (saves: string) => ` It saves ${saves} of waiting, yours and others’.`, showAnyway: 'Show stations anyway', later: 'I will come later', laterDone: (at: string) => `Fine: see you after ${at}.`,
  offersTitle: (n: string) => `${n} good choices`, offerOne: 'One choice', ourPick: 'Best for you', arrival: (soc: string) => `arrive with ${soc}`, sure: (wait: string, p90: string) => `wait ${wait}, up to ${p90}`, noWaitAtAll: 'no wait expected', noWait: (p90: string) => `no wait expected, at most ${p90}`, total: 'in all',
  hold: 'Hold a bay', holdAt: (name: string) => `Hold a bay at ${name}`, holding: 'Holding…', change: 'Change',
  noOffers: 'No station can serve this now.', noOffersHint: 'Stay longer, choose another kind of charging, or move the dot closer to the city.',
  pickBest: 'the best of all when time, price and the city’s load are weighed', pickTime: (m: string) => `${m} sooner than the best pick`, pickSaves: (m: string) => `${m} cheaper`, pickNearer: (m: string) => `${m} nearer`, pickLessWait: (m: string) => `${m} less waiting`, but: ', but ',
  heldTitle: 'A bay is yours', queuedTitle: 'Your place in the queue is held', bayNumber: 'Bay', expires: (rel: string, at: string) => `held until ${at} (${rel})`, arriveAt: (at: string) => `arrive ${at}`, plugIn: 'Plug in on arrival; charging starts by itself.', cancel: 'Give it back', used: 'You are charging. Have a good break.', newSearch: 'New search', wayEnergy: 'on the way',
  problem404: 'This offer is no longer on record. Search again for a fresh one.', problem409: 'You hold a bay already. Give it back first, or use it.', problem422: (why: string) => `Something in the request does not fit: ${why}. Change it and try again.`, problem503: 'The city is just starting. This page tries again by itself.', problemOffline: 'No connection. Nothing was booked; try again once you are online.', searchAgain: 'Search again', console: 'City console', 
}

export type Words = typeof en
