import { describe, expect, test } from '@jest/globals';
import { createBodyRedact } from '../../../../src/instagram/api/redaction.ts';

describe('the redaction of bodies', () => {
  const token = 'EAAG/long+enough=to-be-no-word';

  test.each([
    ['in clear', token],
    ['percent-encoded', encodeURIComponent(token)],
    ['with the slash as PHP writes it in JSON', token.replaceAll('/', '\\/')],
  ])('takes the token out wherever it stands, %s', (_name, spelling) => {
    expect(createBodyRedact(token)(`{"note":"${spelling}"}`)).toBe('{"note":"[secret]"}');
  });

  test('leaves what only looks like a token, because a caption may', () => {
    const body = '{"caption":"access_token=abc EAABsbCS1iHgBAKZCexampleZD"}';

    expect(createBodyRedact(token)(body)).toBe(body);
  });

  test('takes out a token as short as a word only where it is named', () => {
    const redact = createBodyRedact('sandbox');

    expect(redact('{"caption":"my sandbox","next":"?access_token=sandbox&x"}')).toBe(
      '{"caption":"my sandbox","next":"?access_token=[secret]&x"}',
    );
  });
});
