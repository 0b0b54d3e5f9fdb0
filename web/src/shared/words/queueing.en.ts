/** English of the virtual queue, for drivers and for who runs stations. */

type Names = Readonly<Record<string, string>>

const ends: Names = {
  used: 'plugged in', cancelled: 'given back', expired: 'no bay in time', declined: 'declined', unanswered: 'did not answer', no_show: 'did not come', moved: 'moved to another station', held: '',
}
const phases: Names = { waiting: 'waiting', resting: 'lets the next go first', offered: 'being asked', held: 'bay held' }
const lost: Names = { fault: 'is out of order', taken: 'was taken by somebody who had not reserved it', charger: 'was given up by its charger' }
const dimensions: Names = { energy: 'Energy', service: 'Service', idle: 'Idle time' }

export const queueing = {
  phases, ends, dimensions,

  // driver: waiting
  place: (n: string, of: string) => `Place ${n} of ${of}`, next: 'You are next', expected: (rel: string, at: string) => `A bay is expected ${rel}, at ${at}`, expectedNow: 'A bay is expected any minute', expectedUnknown: 'No bay is in order here now',
  told: (answer: string) => `Keep this page open. When a bay is free you are asked here, and have ${answer} to answer.`, resting: (at: string) => `You let the next one go first. You keep your place and are asked again from ${at}.`, keptUntil: (at: string) => `place kept until ${at}`,
  here: 'I am at the station', hereDone: 'We know that you are there.', leave: 'Leave the queue',

  // driver: the offer
  offerTitle: 'A bay is free for you', answerWithin: (time: string) => `Answer within ${time}`, accept: 'Take it', snooze: 'Let the next one go first', snoozesLeft: (n: number) => (n === 1 ? 'once more' : `${n} times more`), noSnooze: 'Without an answer you leave the queue.', silence: 'Without an answer the next one goes first.',
  tooLate: 'That came too late: the offer is over.',

  // driver: something changed
  changed: 'Something changed', bayLost: (bay: string, why: string) => `Bay ${bay} ${why}. You keep your place in the queue.`, lost,
  better: (name: string, sooner: string) => `${name} would have you charged ${sooner} sooner.`, betterOnly: (name: string) => `${name} can charge you, here nothing is in order.`, betterFacts: (min: string, amount: string) => `${min} in all, ${amount}`,
  go: (name: string) => `Go to ${name}`, keep: 'Keep my place', lookElsewhere: 'Give up and search again',

  // driver: afterwards
  charging: 'You are charging', soFar: 'so far', done: 'Charged. Thank you.', promisedTook: (promised: string, took: string) => `promised ${promised}, took ${took}`, promisedOnly: (promised: string) => `promised ${promised}`,
  bill: 'Your bill', sum: 'Sum', promisedAmount: (amount: string) => `promised ${amount}`, wait: 'Wait', energy: 'Energy', proof: 'Proof', verified: 'The meter signed its readings, and the signature fits.', unsigned: 'The meter does not sign its readings; the bill rests on what the charger reported.', notes: 'Noted', session: (id: string) => `Session ${id}`,
  ended: { cancelled: 'Given back. Thank you: somebody else can charge there now.', expired: 'No bay came free in time, so your place has ended.', declined: 'You left the queue.', unanswered: 'You did not answer, so your place went to others.', no_show: 'You did not plug in in time, so the bay went to somebody else.', moved: 'You moved to another station.' } as Names,
  whyNot: (why: string) => `Not our pick: ${why}`,

  // console
  title: 'Queue', note: 'Who waits for a bay, who is being asked, how long it took today, and the rules.', inQueue: 'In the queue', asked: 'Being asked', held: 'Bays held', waitsToday: 'Wait today', meanP95: (p95: string) => `95 % within ${p95}`, noShows: 'No-shows today', ofDrivers: (n: string) => `${n} came and charged`, joined: (n: string) => `${n} reservations today`,
  empty: 'Nobody waits for a bay now.', emptyHint: 'Drivers who reserve where no bay is free appear here, in the order in which they will be asked.', noneToday: 'No reservation was used today yet.',
  drivers: 'Drivers', stations: 'Stations today', endsTitle: 'How today’s reservations ended', rules: 'Rules', rulesNote: 'They hold for every offer from now on. Each change is on record.', mayNot: 'Only operators may change the rules.',
  columns: { station: 'Station', place: 'Place', state: 'State', bay: 'Bay', since: 'Joined', until: 'Until', snoozes: 'Put off', before: 'No-shows before', waiting: 'Waiting', held: 'Held', drivers: 'Charged', mean: 'Mean wait', p95: '95 % within', noShows: 'No-shows' },
  emergency: 'emergency',
  policy: { answer: 'Time to answer', answerNote: 'from the offer of a bay', snoozes: 'Snoozes', snoozesNote: 'how often a driver may let the next one go first', snooze: 'Length of a snooze', snoozeNote: 'until the driver is asked again', plugIn: 'Time to plug in', plugInNote: 'from arriving at a bay that is held; then it is a no-show', near: 'Counts as near', nearNote: 'who is expected within that time is asked as if there already', keep: 'Place is kept', keepNote: 'past the start that was promised' },
  minutes: 'min', times: 'times', save: 'Save the rules', saved: 'Saved: the new rules hold from now on.', unchanged: 'Nothing changed.', refused: (why: string) => `Not saved: ${why}`,
}
