import { describe, expect, test } from '@jest/globals';
import { blindWrite, keptProducer, offsetLagEnd, stateFirst } from '../../chaos/breaches.ts';
import { breakBuild } from '../../chaos/broken-build.ts';

// What the chaos checker must catch has to fit the sources as they are.
describe.each([
  ['a producer that is kept', keptProducer],
  ['a state that goes first', stateFirst],
  ['a read that ends by the lag', offsetLagEnd],
  ['a state that is written without a comparison', blindWrite],
])('the patches of %s', (_name, patches) => {
  test('find their places', async () => {
    await using build = await breakBuild(patches);

    expect(build.main).toMatch(/src\/main\.ts$/);
  });
});
