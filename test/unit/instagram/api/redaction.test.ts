import { describe, expect, test } from '@jest/globals';
import { createBodyRedact, createRedact } from '../../../../src/instagram/api/redaction.ts';

describe('redaction', () => {
  const redact = createRedact('tok/en+1');

  test.each([
    ['the token', 'a tok/en+1 b', 'a [redacted] b'],
    ['the token percent-encoded', 'a tok%2Fen%2B1 b', 'a [redacted] b'],
    ['a URL parameter', '?access_token=abc&after=1', '?access_token=[redacted]&after=1'],
    ['an encoded URL parameter', 'access_token%3Dabc&x', 'access_token%3D[redacted]&x'],
    ['a JSON-escaped parameter', '?access_token\\u003dabc"', '?access_token\\u003d[redacted]"'],
    ['a JSON member', '{"access_token":"abc","id":"1"}', '{"access_token":"[redacted]","id":"1"}'],
    [
      'an escaped JSON member',
      '{\\"access_token\\":\\"abc\\"}',
      '{\\"access_token\\":\\"[redacted]\\"}',
    ],
    ['a header', 'Authorization: Bearer abc.def', 'Authorization: Bearer [redacted]'],
    ['a page token by its looks', 'x EAABsbCS1iHgBAKZCexampleZD y', 'x [redacted] y'],
    ['a proof', 'appsecret_proof=0a1b', 'appsecret_proof=[redacted]'],
  ])('takes out %s', (_name, text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  test('leaves other texts alone', () => {
    const text = '(#100) Tried accessing nonexisting field (access_token)';
    expect(redact(text)).toBe(text);
  });
});

describe('the redaction of bodies', () => {
  const token = 'EAAG/long+enough=to-be-no-word';

  test.each([
    ['in clear', token],
    ['percent-encoded', encodeURIComponent(token)],
    ['with the slash as PHP writes it in JSON', token.replaceAll('/', '\\/')],
  ])('takes the token out wherever it stands, %s', (_name, spelling) => {
    expect(createBodyRedact(token)(`{"note":"${spelling}"}`)).toBe('{"note":"[redacted]"}');
  });

  test('leaves what only looks like a token, because a caption may', () => {
    const body = '{"caption":"access_token=abc EAABsbCS1iHgBAKZCexampleZD"}';

    expect(createBodyRedact(token)(body)).toBe(body);
  });

  test('takes out a token as short as a word only where it is named', () => {
    const redact = createBodyRedact('sandbox');

    expect(redact('{"caption":"my sandbox","next":"?access_token=sandbox&x"}')).toBe(
      '{"caption":"my sandbox","next":"?access_token=[redacted]&x"}',
    );
  });
});
