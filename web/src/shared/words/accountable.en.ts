/** English of the page of promises, and of decisions made again. */

type Names = Readonly<Record<string, string>>

const came: Names = { kept: 'charged there', elsewhere: 'charged elsewhere', gave_up: 'gave up', open: 'not over yet' }
const weights: Names = {
  value_of_time: 'Value of time', amount: 'What the driver pays', wait_risk: 'Risk of a longer wait', utilisation: 'Even use of bays', others_per_h: 'Others expected there', regional_load_per_kwh: 'Load of the grid there',
}

export const accountable = {
  title: 'Promises', note: 'What drivers were promised when they were sent to a station, against what happened.',
  by: 'By', byStation: 'Station', byOperator: 'Operator', span: 'Promised within', spans: { '1': 'the last day', '7': 'the last 7 days', '30': 'the last 30 days', '0': 'all time' } as Names,
  atStation: 'Promises and how they were kept', allStations: 'All stations', all: 'All', none: 'Nobody was promised anything in this time. Promises appear as drivers are sent to stations.',
  columns: {
    group: 'Station', made: 'Promised', kept: 'Charged there', elsewhere: 'Elsewhere', gave_up: 'Gave up', open: 'Not over', promised_wait_min: 'Wait promised (min)', realised_wait_min: 'Wait realised (min)',
    wait_error_min: 'Error, mean (min)', wait_error_p95_min: 'Error, p95 (min)', within: 'Within 9 of 10', promised_amount: 'Promised (CNY)', realised_amount: 'Paid (CNY)', amount_same: 'Amount as promised',
  },
  figures: { within: 'Waits within what was promised for 9 of 10', error: 'Wait against promise', amount: 'Amounts as promised', apart: 'Neither kept nor broken' },
  ofWaits: (n: string) => `of ${n} waits promised above 0`, ofAllWaits: (share: string, n: string) => `${share} of all ${n}`, aim: 'aim 87 to 93 %', onAim: 'on aim', tooFew: 'too few to judge', below: 'promised too little', above: 'promised more than was needed',
  errorNote: (promised: string, realised: string) => `promised ${promised}, came ${realised}`, amountNote: (promised: string, realised: string) => `mean promised ${promised}, paid ${realised}`, amountRule: 'within 5 % or ¥0.50',
  apartNote: (elsewhere: string, gaveUp: string, open: string) => `${elsewhere} charged elsewhere, ${gaveUp} gave up, ${open} not over yet`, apartCount: (n: string) => `${n} drivers`,
  calibration: 'Promised for 9 of 10, and what 9 of 10 waited', calibrationNote: 'Each dot is a group of waits with a like promise; its size is how many. On the line, the promise was exact; above it, drivers waited longer.', calibrationNone: 'Once sessions have ended, the promises are held against them here.',
  axisPromised: 'promised, min', axisRealised: 'waited, min', dot: (promised: string, realised: string, within: string, n: string) => `promised ${promised}, 9 of 10 waited up to ${realised}; ${within} within, of ${n}`,
  behind: (group: string) => `Decisions behind ${group}`, noBehind: 'No decision in this time.', made: 'Made', came, decision: 'Decision', outcome: 'Outcome', tookOther: (name: string) => `The driver took another offer: ${name}.`,
  replay: 'Replay with other weights', replayNote: 'The same moment and the same drivers, from what this decision was made from. Nothing in the city changes.', weights, times: (n: string) => `× ${n}`,
  outage: (name: string) => `${name} is out of order`, run: 'Replay', reset: 'Reset', then: 'Then', now: 'With the change', stationRow: 'Station', sameChoice: 'The choice stays the same.', otherChoice: (name: string) => `It would have been ${name}.`, nothingLeft: 'No station could have served this.',
  together: (moved: string, n: string) => `Of ${n} drivers decided together, ${moved} would have been sent elsewhere.`, exact: 'With nothing changed, it comes out exactly as it was decided.', notExact: 'With nothing changed, it does not come out as it was decided: the city or the program has changed since.', notKept: 'What this decision was made from is not kept, so it cannot be replayed.',
}
