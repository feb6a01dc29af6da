import { createRecordedWorld, readRecording } from '../graph-api/recorded-world.ts';
import type { World } from '../graph-api/world.ts';
import { createWorld } from '../graph-api/world.ts';
import type { DemoArguments } from './arguments.ts';

/** A minute of the world passes in a second, so that there is something to see. */
const SPEED = 60;

/** Three accounts of a seed whose life goes on while one watches; or a recording's, which stands still. */
export async function demoWorld({
  once,
  recording,
}: Pick<DemoArguments, 'once' | 'recording'>): Promise<World> {
  if (recording !== undefined) return createRecordedWorld(await readRecording(recording));
  return createWorld({
    seed: 7,
    accounts: 3,
    mediaPerAccount: 60,
    storiesPerAccount: 6,
    insightsDays: 90,
    postsPerDay: 48,
    live: true,
    speed: once ? 1 : SPEED,
  });
}
