import { createRecordedWorld, readRecording } from '../graph-api/recorded-world.ts';
import { type World, createWorld } from '../graph-api/world.ts';
import type { DemoArguments } from './arguments.ts';

/**
 * Creates a world of three accounts that changes while the demo runs, or a recording's world, which
 * does not change.
 */
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
    // One post in three minutes, so that a demo in real time shows changes too.
    postsPerDay: 480,
    live: true,
    speed,
  });
}
