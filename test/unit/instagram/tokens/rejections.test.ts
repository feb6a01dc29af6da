import { describe, expect, test } from '@jest/globals';
import { RetryError, StopAccountError } from '../../../../src/engine/errors.ts';
import { TokenRejections } from '../../../../src/instagram/tokens/rejections.ts';
import { Tokens } from '../../../../src/instagram/tokens/tokens.ts';
import { createRecordingTelemetry } from '../../../support/recording-telemetry.ts';

const revoked = new StopAccountError('graph.token', 'revoked', { refusesToken: true });
const refusal = { code: 'graph.token', message: 'revoked' };

function site(...texts: readonly string[]) {
  const tokens = new Tokens(texts);
  const telemetry = createRecordingTelemetry();
  const refusals = new TokenRejections(tokens, telemetry);
  const told = () => telemetry.ofType('token-refused').map(({ name, refusal }) => [name, refusal]);
  return { tokens, refusals, told };
}

describe('token rejections', () => {
  test('report a rejection once, and its end at the next answered request', () => {
    const { refusals, told } = site('a');
    refusals.sent('')(undefined);
    refusals.sent('')(revoked);
    refusals.sent('')(revoked);
    expect(told()).toEqual([['default', refusal]]);

    refusals.sent('')(undefined);
    expect(told()).toEqual([
      ['default', refusal],
      ['default', null],
    ]);
  });

  test('ignore the answer to a request that was sent before the rejection', () => {
    const { refusals, told } = site('a');
    const earlier = refusals.sent('');
    refusals.sent('')(revoked);
    earlier(undefined);

    expect(told()).toEqual([['default', refusal]]);
  });

  test.each([
    ['one account only', new StopAccountError('graph.token', 'no role')],
    ['a passing kind', new RetryError('graph.network', 'away')],
  ])('ignore an error of %s, and do not end by it', (_what, error) => {
    const { refusals, told } = site('a');
    refusals.sent('')(error);
    expect(told()).toEqual([]);

    refusals.sent('')(revoked);
    refusals.sent('')(error);
    expect(told()).toEqual([['default', refusal]]);
  });

  test('keep tokens apart, and forget a token that is no longer in use', () => {
    const { tokens, refusals, told } = site('a', 'b');
    refusals.sent('2')(revoked);
    refusals.sent('1')(undefined);
    expect(told()).toEqual([['2', refusal]]);

    tokens.replace(['c']);
    refusals.sent('')(undefined);
    expect(told().at(-1)).toEqual(['2', null]);
  });

  test('ignore the answer to the old token after a new token replaced it', () => {
    const { tokens, refusals, told } = site('a');
    const before = refusals.sent('');
    tokens.replace(['b']);
    before(revoked);
    refusals.reject('', 'a', { code: 'graph.token', message: 'invalid' });

    expect(told()).toEqual([]);
  });

  test('end with the first answer to the token that replaced the rejected one', () => {
    const { tokens, refusals, told } = site('a');
    refusals.sent('')(revoked);
    tokens.replace(['b']);
    expect(told()).toHaveLength(1);

    refusals.sent('')(undefined);
    expect(told().at(-1)).toEqual(['default', null]);
  });
});
