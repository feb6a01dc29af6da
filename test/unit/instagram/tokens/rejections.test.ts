import { describe, expect, test } from '@jest/globals';
import { RetryError, StopAccountError } from '../../../../src/engine/errors.ts';
import { TokenRejections } from '../../../../src/instagram/tokens/rejections.ts';
import { Tokens } from '../../../../src/instagram/tokens/tokens.ts';
import { createRecordingTelemetry } from '../../../support/recording-telemetry.ts';

const revoked = new StopAccountError('graph.token', 'revoked', { rejectsToken: true });
const rejection = { code: 'graph.token', message: 'revoked' };

function site(...texts: readonly string[]) {
  const tokens = new Tokens(texts);
  const telemetry = createRecordingTelemetry();
  const rejections = new TokenRejections(tokens, telemetry);
  const told = () =>
    telemetry.ofType('token-rejected').map(({ name, rejection }) => [name, rejection]);
  return { tokens, rejections, told };
}

describe('token rejections', () => {
  test('report a rejection once, and its end at the next answered request', () => {
    const { rejections, told } = site('a');
    rejections.sent('')(undefined);
    rejections.sent('')(revoked);
    rejections.sent('')(revoked);
    expect(told()).toEqual([['default', rejection]]);

    rejections.sent('')(undefined);
    expect(told()).toEqual([
      ['default', rejection],
      ['default', null],
    ]);
  });

  test('ignore the answer to a request that was sent before the rejection', () => {
    const { rejections, told } = site('a');
    const earlier = rejections.sent('');
    rejections.sent('')(revoked);
    earlier(undefined);

    expect(told()).toEqual([['default', rejection]]);
  });

  test.each([
    ['one account only', new StopAccountError('graph.token', 'no role')],
    ['a passing kind', new RetryError('graph.network', 'away')],
  ])('ignore an error of %s, and do not end by it', (_what, error) => {
    const { rejections, told } = site('a');
    rejections.sent('')(error);
    expect(told()).toEqual([]);

    rejections.sent('')(revoked);
    rejections.sent('')(error);
    expect(told()).toEqual([['default', rejection]]);
  });

  test('keep tokens apart, and forget a token that is no longer in use', () => {
    const { tokens, rejections, told } = site('a', 'b');
    rejections.sent('2')(revoked);
    rejections.sent('1')(undefined);
    expect(told()).toEqual([['2', rejection]]);

    tokens.replace(['c']);
    rejections.sent('')(undefined);
    expect(told().at(-1)).toEqual(['2', null]);
  });

  test('ignore the answer to the old token after a new token replaced it', () => {
    const { tokens, rejections, told } = site('a');
    const before = rejections.sent('');
    tokens.replace(['b']);
    before(revoked);
    rejections.reject('', 'a', { code: 'graph.token', message: 'invalid' });

    expect(told()).toEqual([]);
  });

  test('end with the first answer to the token that replaced the rejected one', () => {
    const { tokens, rejections, told } = site('a');
    rejections.sent('')(revoked);
    tokens.replace(['b']);
    expect(told()).toHaveLength(1);

    rejections.sent('')(undefined);
    expect(told().at(-1)).toEqual(['default', null]);
  });
});
