import { describe, test } from '@jest/globals';
import { describeConfig } from '../../src/config/description.ts';
import { streams } from '../../src/instagram/streams/index.ts';
import type { InstagramStream } from '../../src/instagram/streams/stream.ts';
import { expectGolden } from './golden.ts';

function lineOf(stream: InstagramStream): string {
  const { name, key, mode, priority, interval, publish = 'no setting', logins } = stream;
  const facts = {
    key: key.join('/'),
    mode,
    priority,
    interval,
    publish,
    default: stream.isDefault,
    compacted: stream.isCompacted,
    people: stream.readsPeople,
    logins: logins.join('+'),
  };
  return `${name} ${JSON.stringify(facts)}`;
}

describe('the declarations of the streams', () => {
  test('have the order, keys, intervals, properties and variables of the golden file', () => {
    const variables = describeConfig().filter(({ path }) => /^streams\.\w+\./.test(path));

    expectGolden('streams', [
      ...Object.values(streams).map(lineOf),
      '# variables',
      ...variables.map(({ env, default: value }) => `${env} ${JSON.stringify(value)}`),
    ]);
  });
});
