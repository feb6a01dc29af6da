import { describe, expect, test } from '@jest/globals';
import { keptProducer, stateFirst } from '../../chaos/breaches.ts';
import { breakBuild } from '../../chaos/broken-build.ts';

// What the chaos checker must catch has to fit the sources as they are.
describe.each([
  ['a producer that is kept', keptProducer],
  ['a state that goes first', stateFirst],
])('the patches of %s', (_name, patches) => {
  test('find their places', async () => {
    await using build = await breakBuild(patches);

    expect(build.main).toMatch(/src\/main\.ts$/);
  });
});
