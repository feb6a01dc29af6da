/**
 * The Instagram simulator alone, for containers: PORT, HOST and SANDBOX_TOKEN set its address and
 * token.
 */
import { once } from 'node:events';
import { startGraphApi } from './graph-api/server.ts';
import { createWorld } from './graph-api/world.ts';
import { stopSignal } from './stop.ts';

const { PORT = '8090', HOST = '127.0.0.1', SANDBOX_TOKEN } = process.env;
const port = Number(PORT);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(`PORT: got "${PORT}", expected a whole number from 0 to 65535`);
  process.exit(2);
}
const signal = stopSignal();
await using api = await startGraphApi({
  world: createWorld({
    seed: 7,
    accounts: 3,
    mediaPerAccount: 60,
    storiesPerAccount: 6,
    insightsDays: 90,
    live: true,
    ...(SANDBOX_TOKEN === undefined || SANDBOX_TOKEN === '' ? {} : { token: SANDBOX_TOKEN }),
  }),
  port,
  host: HOST,
});
console.log(`Instagram simulator: ${api.url}`);
await once(signal, 'abort');
