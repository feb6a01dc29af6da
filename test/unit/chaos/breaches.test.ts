import { describe, expect, test } from '@jest/globals';
import { blindWrite, keptProducer, offsetLagEnd, stateFirst } from '../../chaos/breaches.ts';
import { breakBuild } from '../../chaos/broken-build.ts';

// Each breach replaces a text of the sources; it must find that text.
describe.each([
  ['a producer that is kept after a failure', keptProducer],
  ['a state that is committed first', stateFirst],
  ['a read that ends by the reported lag', offsetLagEnd],
  ['a state that is written without a comparison', blindWrite],
])('the breach patch of %s', (_name, patches) => {
  test('applies to the current sources', async () => {
    await using build = await breakBuild(patches);

    expect(build.main).toMatch(/src\/main\.ts$/);
  });
});
