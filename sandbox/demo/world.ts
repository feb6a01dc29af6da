import { createRecordedWorld, readRecording } from '../graph-api/recorded-world.ts';
import { type World, createWorld } from '../graph-api/world.ts';
import type { DemoArguments } from './arguments.ts';

/** Three accounts of a seed whose life goes on while one watches; or a recording's, which stands still. */
export async function demoWorld({
  recording,
  speed,
}: Pick<DemoArguments, 'recording' | 'speed'>): Promise<World> {
  if (recording !== undefined) return createRecordedWorld(await readRecording(recording));
  return createWorld({
    seed: 7,
    accounts: 3,
    mediaPerAccount: 60,
    storiesPerAccount: 6,
    insightsDays: 90,
    // One in three minutes: real time has something to show, too.
    postsPerDay: 480,
    live: true,
    speed,
  });
}
