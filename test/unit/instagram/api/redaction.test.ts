import { describe, expect, test } from '@jest/globals';
import { createBodyRedact } from '../../../../src/instagram/api/redaction.ts';

describe('redaction of response bodies', () => {
  const token = 'EAAG/long+enough=to-be-no-word';

  test.each([
    ['in clear', token],
    ['percent-encoded', encodeURIComponent(token)],
    ['with the slash as PHP writes it in JSON', token.replaceAll('/', '\\/')],
  ])('removes the token %s', (_name, spelling) => {
    expect(createBodyRedact(token)(`{"note":"${spelling}"}`)).toBe('{"note":"[secret]"}');
  });

  test('keeps text that only resembles a token, because a caption may hold it', () => {
    const body = '{"caption":"access_token=abc EAABsbCS1iHgBAKZCexampleZD"}';

    expect(createBodyRedact(token)(body)).toBe(body);
  });

  test('removes a token as short as a word only where a parameter names it', () => {
    const redact = createBodyRedact('sandbox');

    expect(redact('{"caption":"my sandbox","next":"?access_token=sandbox&x"}')).toBe(
      '{"caption":"my sandbox","next":"?access_token=[secret]&x"}',
    );
  });
});
