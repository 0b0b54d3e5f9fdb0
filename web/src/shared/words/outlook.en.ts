/** English of what is coming, and of how good forecasts were. */

import type { Habit } from '../outlook'

type Names = Readonly<Record<string, string>>
const levels: Names = { zone: 'Zones', district: 'Districts', city: 'City' }

export const outlook = {
  shortages: 'Bays that will be short', noShortages: 'No zone is expected to run short of bays in the next 24 hours.',
  shortage: (zone: string, bays: string, begin: string, end: string, probability: string) => `Zone ${zone} will need ${bays} more bays between ${begin} and ${end}, probability ${probability}`,
  shortageOne: (zone: string, begin: string, end: string, probability: string) => `Zone ${zone} will need one more bay between ${begin} and ${end}, probability ${probability}`,
  shortageFacts: (needed: string, bays: string) => `${needed} needed by the median, ${bays} there`, told: 'told', seen: 'seen, not told', more: (n: string) => `and ${n} more`,
  shortageNote: 'Bays needed so that nine of ten who come find one. Told from a probability of 50 %, taken back below 30 %.',
  peak: 'The peak', cityPeak: (when: string, chance: string) => `Most likely in the hour of ${when} (${chance})`, peakHeight: (q50: string, q10: string, q90: string) => `as high as ${q50} (${q10} to ${q90})`,
  trends: 'Changed habits', noTrends: (n: string) => `Of ${n} habits looked at, none has changed beyond chance.`, trendsNote: (n: string) => `Of ${n} habits looked at over the last weeks; one in ten of those shown may be chance.`,
  trend: {
    level: (change: string) => `charges ${change}`, peak_hour: (change: string) => `charges ${change}`, rest_share: (change: string) => `days of rest ${change}`,
  } as Record<Habit, (change: string) => string>,
  later: (h: string) => `${h} later`, earlier: (h: string) => `${h} earlier`, more_by: (share: string) => `${share} more`, less_by: (share: string) => `${share} less`, within: (days: string) => `in ${days} days`, cityUnit: 'The city', districtUnit: (name: string, zones: string) => `District ${name} (${zones})`, zoneUnit: (name: string) => `Zone ${name}`,
  stopped: 'Feeds that have stopped', noStopped: 'Every feed is moving.', frozen: (value: string) => `stands at ${value}`, idle: 'nothing comes', silent: 'vehicles charge, nothing is said', since: (at: string) => `since ${at}`,
  stationUnit: (name: string) => `Station ${name}`, stoppedZone: 'Its feed has stopped', legendShort: 'Red ring: bays short at this hour', legendStopped: 'Grey ring: feed stopped',

  scores: 'How good forecasts were', scoresNote: 'Each forecast is kept as it was made, and held against what came once its hours are over. Zones whose feeds have stopped are left out.', toScores: 'How good forecasts were', toForecast: 'The forecast',
  span: 'Hours within', spans: { '1': 'the last day', '7': 'the last 7 days', '30': 'the last 30 days' } as Names,
  noScores: 'Nothing is scored yet: the first hour is, two hours after the first forecast.', levels,
  columns: { level: 'Level', ahead: 'Ahead', hours: 'Hours scored', units: 'Units', mae: 'Mean error (kWh)', relative: 'Of the mean hour', naive: 'Same hour last week', pinball: 'Pinball (kWh)', coverage: 'Within the band', drift: 'Drift' },
  coverageAim: 'aim 77 to 83 %', below: 'too narrow', above: 'too wide', onAim: 'on aim', tooFew: 'too few to judge',
  drift: { yes: 'errors have grown', no: 'as usual', unknown: 'too few days yet' }, driftNote: (recent: string, before: string) => `${recent} this week, ${before} before`,
  drifted: (n: string) => `Errors of ${n} of the levels and horizons are beyond what they used to be.`, notDrifted: 'Errors are within what they used to be.', driftUnknown: 'Drift is judged once there are three weeks of scores.',
  past: 'A forecast as it was made', pastChoice: 'Forecast from', pastUnit: 'Of', madeAt: (at: string) => `Made ${at}`, came: 'came', none: 'No forecast is kept yet.',
}
