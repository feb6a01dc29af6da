import { describe, expect, test } from '@jest/globals';
import { createRedact } from '../../../src/engine/redaction.ts';

const token = 'tok/en+1 "x"|y';
const redact = createRedact([token, 'hush', 'hush-hush-9', '']);

describe('redaction of a text', () => {
  test.each([
    ['as it is', `it was ${token}.`, 'it was [secret].'],
    ['in upper case', `it was ${token.toUpperCase()}.`, 'it was [secret].'],
    ['in a URL', `http://h/?x=${encodeURIComponent(token)}&y=1`, 'http://h/?x=[secret]&y=1'],
    ['in a form', new URLSearchParams({ x: token }).toString(), 'x=[secret]'],
    ['in JSON', JSON.stringify({ x: token }), '{"x":"[secret]"}'],
    ["in PHP's JSON", JSON.stringify(token).replaceAll('/', '\\/'), '"[secret]"'],
    ['that contains another secret', 'hush-hush-9 hush', '[secret] [secret]'],
  ])('masks a secret %s', (_where, words, expected) => {
    expect(redact(words)).toBe(expected);
  });

  test.each([
    [
      'GET https://graph.facebook.com/v25.0/me?fields=id&access_token=abc%7Cdef&limit=1',
      'GET https://graph.facebook.com/v25.0/me?fields=id&access_token=[secret]&limit=1',
    ],
    ['{"access_token":"abc","id":"1"}', '{"access_token":"[secret]","id":"1"}'],
    ['{\\"access_token\\":\\"abc\\",\\"id\\":1}', '{\\"access_token\\":\\"[secret]\\",\\"id\\":1}'],
    ['next%3Faccess_token%3Dabc', 'next%3Faccess_token%3D[secret]'],
    ['Authorization: Bearer abc', 'Authorization: [secret]'],
    ['{"authorization":"Basic dTpw"}', '{"authorization":"[secret]"}'],
    ['sent Bearer abcdefgh12345678', 'sent Bearer [secret]'],
    ['?access_token\\u003dabc"', '?access_token\\u003d[secret]"'],
    ['appsecret_proof=0a1b', 'appsecret_proof=[secret]'],
    ['page token EAAabcdefghijklmnopqrstuvwxyz', 'page token [secret]'],
    ['http://user:word@registry:8081/subjects', 'http://[secret]@registry:8081/subjects'],
  ])('masks what looks like a secret: %s', (words, expected) => {
    expect(redact(words)).toBe(expected);
  });

  test.each([
    'field "caption": expected a text, got a list; write to someone@example.com',
    'the permission instagram_basic is missing; basic authentication failed',
    'Invalid OAuth access token data.',
    '(#100) Tried accessing nonexisting field (access_token)',
  ])('keeps other words: %s', (words) => {
    expect(redact(words)).toBe(words);
  });

  test('masks nothing in a plain text without configured secrets', () => {
    expect(createRedact([''])('plain')).toBe('plain');
  });

  test.each([
    '?access_token=[secret]&limit=1',
    'Authorization: [secret]',
    'http://[secret]@registry:8081/subjects',
  ])('keeps a mask as it is: %s', (words) => {
    expect(redact(words)).toBe(words);
    expect(redact(words.replace('[secret]', 'hush'))).toBe(words);
  });
});
