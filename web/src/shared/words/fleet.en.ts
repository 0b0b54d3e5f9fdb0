/** English of the chargers', accounts' and audit pages. */

type Names = Readonly<Record<string, string>>

const health: Names = { ok: 'OK', warning: 'Warning', fault: 'Fault', offline: 'Offline', quarantined: 'Unknown' }
const states: Names = { adopted: 'in use', quarantined: 'waiting for adoption', retired: 'retired' }
const kinds: Names = { call: 'call', result: 'answer', error: 'error', send: 'notice' }
const outcomes: Names = {
  answered: 'answered', error: 'refused with an error', timeout: 'no answer in time', offline: 'not connected', adopted: 'adopted', retired: 'retired', done: 'done',
  sent: 'sent', 'up to date': 'up to date already', 'not supported': 'not supported by this charger', refused: 'refused by the charger', '': 'failed, or not known',
}
const deeds: Names = {
  adopt: 'adopt', retire: 'retire', 'add account': 'add account', 'change account': 'change account', 'remove account': 'remove account', 'put token': 'set token', 'remove token': 'remove token',
  password: 'change password', 'local list': 'send token list', 'ask variables': 'ask for settings', 'meter keys': 'set meter keys', 'queue policy': 'change queue rules',
}
const roles: Names = {
  operator: 'Operator', centre: 'City centre', regulator: 'Regulator', grid: 'Grid', fleet: 'Fleet manager', technician: 'Technician', driver: 'Driver',
}
const permissions: Names = {
  see: 'see city, stations and forecasts', decide: 'ask for recommendations and reserve', chargers: 'see chargers and their messages', command: 'send commands to chargers',
  adopt: 'adopt and retire chargers', tokens: 'say which tokens may charge', audit: 'read the audit', accounts: 'manage accounts', queue: 'set the rules of the queue', money: 'see sessions and amounts',
}
const profiles: readonly (readonly [name: string, sentence: string])[] = [
  ['0 · no password', 'Anybody who knows the name can pretend to be this charger: only for a bench, never on a street.'],
  ['1 · password', 'The charger shows a password over an open connection: only inside a closed network or a VPN.'],
  ['2 · password over TLS', 'The charger checks our certificate and shows a password over an encrypted connection: right for the open Internet. The server needs a certificate for it.'],
  ['3 · certificates on both sides', 'The charger shows a certificate of its own over TLS: strongest, and needs a certificate installed on it.'],
]

export const fleet = {
  chargers: 'Chargers', count: (n: string) => `${n} chargers`, search: 'Search chargers', searchHint: 'Name, station, maker, model, serial, firmware, problem',
  health, states, byHealth: 'Chargers by health', all: 'All', none: 'No charger matches.', showAll: 'Show all chargers', problem: (why: string) => `The list is not up to date. ${why}`,
  columns: { health: 'Health', charger: 'Charger', station: 'Station', version: 'Protocol', firmware: 'Firmware', security: 'Security', link: 'Connection', sessions: 'Sessions', problems: 'Problems' },
  csv: { health: 'Health', state: 'State', charger: 'Charger', station: 'Station', bays: 'Bays', vendor: 'Maker', model: 'Model', serial: 'Serial number', firmware: 'Firmware', version: 'Protocol', security: 'Security profile', connected: 'Connected', since: 'Connected since', seen: 'Last message', address: 'Address', sessions: 'Open sessions', problems: 'Problems' },
  since: (rel: string) => `connected ${rel}`, seen: (rel: string) => `last heard ${rel}`, neverSeen: 'never heard', yes: 'yes', no: 'no', more: (n: string) => `+${n} more`,
  page: (from: string, to: string, of: string) => `${from} to ${to} of ${of}`, earlier: 'Earlier', later: 'Later', pager: 'Part of the list',
  atStation: 'Chargers of this station', newcomers: (n: number) => (n === 1 ? 'An unknown charger wants in' : `${n} unknown chargers want in`), newcomersNote: 'They may connect, but cannot do anything until somebody adopts them.', newcomersAll: (n: string) => `Show all ${n}`,
  adopt: 'Adopt', adoptThis: (id: string) => `Adopt ${id}`, fromAddress: (address: string) => `from ${address}`,
  emptyTitle: 'No charger yet: connect one in 2 minutes', emptySteps: ['Open the charger’s settings (its display, app or web page) and find “OCPP server”, “central system” or “backend URL”.', 'Enter this address. Its last part names the charger; take its serial number or any name you like.', 'Save. The charger restarts its connection and appears on this page as unknown; press “Adopt”.'] as readonly string[],
  emptyLoopback: 'This server listens to this machine only: start it with --host 0.0.0.0 for chargers in your network.', orOpen: 'For a charger that cannot do TLS, inside a closed network or a VPN only:', ownName: 'NAME-OF-CHARGER', copy: 'Copy', copied: 'Copied', copyIt: (what: string) => `Copy ${what}`,

  // one charger
  back: 'All chargers', gone: (id: string) => `There is no charger ${id}.`, maker: 'Maker and model', serial: 'Serial number', firmware: 'Firmware', version: 'Protocol', profile: 'Security', certificate: 'Certificate expires', station: 'Station', address: 'Address', connection: 'Connection', first: 'First seen', sessions: 'Open sessions',
  notConnected: 'not connected', noProblems: 'Nothing is wrong.', problems: 'Problems', connectors: 'Connectors', connector: (n: string) => `Connector ${n}`, noConnectors: 'The charger has not told of its connectors yet.', statusSince: (rel: string) => `since ${rel}`,
  retire: 'Retire', retireAsk: (id: string) => `Retire ${id}? It is turned away until it is adopted again; its history stays.`, retireYes: 'Yes, retire it', cancel: 'Cancel', unplaced: 'no station', quarantineNote: 'This charger is unknown. It may connect, and waits; adopt it to put it to use.', retiredNote: 'This charger is retired: it is turned away when it connects.',

  // messages
  messages: 'Messages', pause: 'Pause', resume: (n: string) => `Go on (${n} new)`, fromCharger: 'from the charger', toCharger: 'to the charger', kinds, anyAction: 'Any action', actionFilter: 'Action', bothWays: 'Both directions', directionFilter: 'Direction', textFilter: 'Search in messages', noMessages: 'No message yet.', noSuchMessages: 'No message matches.', older: 'Older messages', allShown: 'These are all that are kept.',
  streamCut: 'The live stream is cut; reconnecting.', following: 'live', paused: 'paused', copyMessage: 'Copy this message',

  // commands
  commands: 'Commands', mayNot: 'Your account may not send commands.', mustConnect: 'The charger is not connected: a command cannot reach it now.', mustAdopt: 'Commands are for adopted chargers.', action: 'Command', send: 'Send', sending: 'Waiting for the answer…', form: 'Form', json: 'JSON', formOrJson: 'Write it as', jsonLabel: 'Request as JSON', badJson: (why: string) => `This is not JSON: ${why}`, notInForm: 'The form cannot show all of this JSON; it stays as it is.', nothingToSay: 'This command needs nothing more.',
  quick: { reset: 'Reset', unlock: 'Unlock', status: 'Trigger status', configuration: 'Get configuration', report: 'Get report', availability: 'Change availability' }, quickLabel: 'Most used commands', required: 'required', add: (what: string) => `Add ${what}`, remove: (what: string) => `Remove ${what}`, inUtc: 'UTC', item: (n: number) => `no. ${n}`,
  answers: 'Commands and their answers', outcomes, asked: 'Sent', answer: 'Answer', by: (name: string) => `by ${name}`, took: (ms: string) => `took ${ms}`,

  // schedule
  schedule: 'Limits ahead', scheduleNote: 'What the charger says it will keep to: all charging profiles that it holds, taken together.', hoursAhead: 'How far ahead', nextHours: (n: string) => `next ${n} h`, askSchedule: 'Ask the charger', chargerLimit: (unit: string) => `Charger’s limit (${unit})`, ourPlan: (unit: string) => `Our plan (${unit})`, cityTimeAxis: 'Time in the city', asTable: 'As a table', from: 'From', limit: 'Limit',

  // upkeep and notices
  upkeep: 'Upkeep', passwordChore: 'Password', passwordChoreNote: 'The charger is given a new one over its connection; nobody sees it.', changePassword: 'Change password', changePasswordAsk: (id: string) => `Give ${id} a new password? It reconnects with the new one; the old one counts until then.`, changePasswordYes: 'Yes, change it',
  listChore: 'Token list', listChoreNote: 'Who may charge while the charger has no connection.', listChanges: 'Send changes', listAll: 'Send all', listHas: (version: string, entries: string) => `version ${version}, tokens: ${entries}`, listLeftOut: (n: string) => `too long for its protocol: ${n}`,
  notices: 'Told by the charger', firmwareStatus: 'Firmware update', diagnosticsStatus: 'Log upload',

  // adoption
  adoptTitle: (id: string) => `Adopt ${id}`, adoptNote: 'Say where it stands, which bay each of its connectors serves, and how it proves who it is.', where: 'Where does it stand?', bays: 'Which bay does each connector serve?', evse: (n: number) => `EVSE ${n}`, bay: 'Bay', chooseBay: 'Choose a bay', bayTaken: (charger: string) => `served by ${charger}`, noFreeBay: 'Every bay of this station is served already: choose another station, or retire the charger that is gone.', addConnector: 'Another connector', dropConnector: (name: string) => `Remove ${name}`,
  security: 'How does it prove who it is?', profiles, setPassword: 'Make a new password for it', setPasswordNote: 'Any password it had before stops working.', adoptDo: 'Adopt', chooseFirst: 'Choose a station and a bay for each connector first.',
  adopted: (id: string) => `${id} is adopted`, passwordTitle: 'Its password, shown this once', passwordNote: 'It is stored only as a hash: copy it now. If it is lost, adopt the charger again for a new one.', password: 'password', setAt16: 'At the charger: set “AuthorizationKey” to this password and “SecurityProfile” to', setAt2: 'At the charger: set “BasicAuthPassword” (in SecurityCtrlr) to this password and the security profile of its network connection to', setUser: 'User name, where it asks for one:', open: 'Open the charger',

  // accounts
  accounts: 'Accounts', accountsNote: 'Who may log in, and what each may do.', role: 'Roles', roles, permissions, rolesTitle: 'What each role may do', addAccount: 'Add an account', add_: 'Add', disable: 'Disable', enable: 'Enable', disabled: 'disabled', active: 'active', state: 'State', you: 'you', change: 'Change', save: 'Save', newPassword: 'New password', keepPassword: 'leave empty to keep the old one', removeAccount: 'Remove', removeAsk: (name: string) => `Remove the account ${name}? What it did stays in the audit.`, removeYes: 'Yes, remove it', noAccounts: 'There is no account yet', noAccountsNote: 'So far this server listens to this machine only, and lets everybody here do everything. Add the first account for yourself, as operator; from then on everybody logs in.', passwordRule: 'at least 10 characters', chooseRole: 'Choose at least one role.',

  // audit
  audit: 'Audit', auditNote: 'Every command and every change, by whom and with what outcome.', who: 'Account', when: 'When', what: 'Action', deeds, outcome: 'Outcome', anyone: 'Any account', anyCharger: 'Any charger', noAudit: 'Nothing on record for this choice.', moreAudit: 'Show more',

  // who I am
  loggedInAs: (name: string) => `Logged in as ${name}`, local: 'this machine', localNote: 'No accounts yet: everybody at this machine may do everything.', noLogin: 'Open to this machine, without log-in', firstAccount: 'Add the first account', logOut: 'Log out', nowLogIn: 'There are accounts now, so everybody logs in.', expired: 'Your session has ended. Log in to go on where you were.', noRight: 'Your account may not see this page.',
}
