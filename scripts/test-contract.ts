/**
 * `npm run test:contract`: runs `check` against the simulator, with each login and every stream. The
 * contract probe of `check` sends every form of request that the polls send. The exit code is 1 when
 * a check failed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startSandbox } from '../sandbox/sandbox.ts';
import { createWorld } from '../sandbox/graph-api/world.ts';
import { stopSignal } from '../sandbox/stop.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Returns true when no check failed. */
async function passes(login: 'facebook' | 'instagram', signal: AbortSignal): Promise<boolean> {
  console.log(`— ${login} login`);
  const world = createWorld({
    seed: 5,
    accounts: 2,
    mediaPerAccount: 20,
    storiesPerAccount: 3,
    insightsDays: 35,
  });
  const log = (line: string): void => {
    console.error(line);
  };
  await using sandbox = await startSandbox({
    world,
    login,
    log,
    signal,
  });
  const env = { PATH: process.env['PATH'], ...sandbox.env, STREAMS: 'all' };
  // Not spawnSync: the simulator runs in this process.
  const child = spawn(process.execPath, [main, 'check'], { env, stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0;
}

const signal = stopSignal();
const outcomes = [await passes('facebook', signal), await passes('instagram', signal)];
const failed = outcomes.filter((isGood) => !isGood).length;
console.log(`${outcomes.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
