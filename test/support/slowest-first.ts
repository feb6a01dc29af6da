import jestSequencer from '@jest/test-sequencer';
import { relative } from 'node:path';
import durations from './durations.json' with { type: 'json' };

// The types describe the CommonJS build, in which the class is a property of the module.
const Sequencer = jestSequencer as unknown as typeof jestSequencer.default;
type Test = Parameters<InstanceType<typeof Sequencer>['sort']>[0][number];

const secondsByPath: Readonly<Record<string, number>> = durations;

/** Orders test files by their recorded seconds, the slowest first; see `scripts/test.ts`. */
export default class SlowestFirst extends Sequencer {
  override sort(tests: Test[]): Test[] {
    return tests.toSorted((a, b) => secondsOf(b) - secondsOf(a) || a.path.localeCompare(b.path));
  }
}

function secondsOf({ path, context }: Test): number {
  return secondsByPath[relative(context.config.rootDir, path)] ?? 0;
}
