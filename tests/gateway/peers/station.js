// A charging station by the client `ocpp-rpc`, which checks all that it sends and gets (strict mode).
//
// node station.js URL IDENTITY PASSWORD PROTOCOL. Lines of stdin are calls to make: [action, params]. Lines of stdout say what
// happened: {answer}, {error}, {called: [action, params]} by the server, {violation} of the standard by either side, {open: protocol}.

const readline = require('node:readline');
const { RPCClient } = require('ocpp-rpc');

const [endpoint, identity, password, protocol] = process.argv.slice(2);
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
let installed = null; // the charging profile set last

/** The schedule of the installed profile, as if nothing else limited it. */
function composite({ connectorId, evseId, duration }) {
  if (protocol === 'ocpp1.6') {
    const { startSchedule, ...schedule } = installed.csChargingProfiles.chargingSchedule;
    return { status: 'Accepted', connectorId, scheduleStart: startSchedule, chargingSchedule: { ...schedule, duration } };
  }
  const { chargingRateUnit, chargingSchedulePeriod, startSchedule } = installed.chargingProfile.chargingSchedule[0];
  return {
    status: 'Accepted',
    schedule: { evseId, duration, scheduleStart: startSchedule, chargingRateUnit, chargingSchedulePeriod },
  };
}

const answers = {
  SetChargingProfile: (params) => ((installed = params), { status: 'Accepted' }),
  GetCompositeSchedule: composite,
  ReserveNow: () => ({ status: 'Accepted' }),
  RemoteStopTransaction: () => ({ status: 'Accepted' }),
  RequestStopTransaction: () => ({ status: 'Accepted' }),
};

const client = new RPCClient({
  endpoint, identity, password, protocols: [protocol], strictMode: true, reconnect: false, callTimeoutMs: 10000,
});
for (const [action, answer] of Object.entries(answers)) {
  client.handle(action, ({ params }) => (say({ called: [action, params] }), answer(params)));
}
client.on('strictValidationFailure', ({ error }) => say({ violation: String(error.message ?? error) }));
client.on('badMessage', ({ error }) => say({ violation: String(error) }));

async function main() {
  await client.connect();
  say({ open: client.protocol });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [action, params] = JSON.parse(line);
    try {
      say({ answer: await client.call(action, params) });
    } catch (error) {
      say({ error: String(error.message ?? error) });
    }
  }
  await client.close();
}

main();
