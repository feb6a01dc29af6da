import { describe, expect, test } from '@jest/globals';
import { leaksIn } from '../../integration/security/leaks.ts';

const secret = 'EAA/sec+ret "quoted" é';
const secrets = { 'the token': secret };
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('leaksIn', () => {
  test.each([
    ['as it is', `token=${secret}.`],
    ['in a URL', `https://x/?access_token=${encodeURIComponent(secret)}&y`],
    ['in a URL within a URL', `?next=${encodeURIComponent(encodeURIComponent(secret))}`],
    ['in a form', new URLSearchParams({ t: secret }).toString()],
    ['in JSON', JSON.stringify({ message: `got ${secret}` })],
    ["in JSON as PHP's", JSON.stringify({ message: secret }).replaceAll('/', '\\/')],
    ['in hexadecimal', Buffer.from(`a${secret}b`).toString('hex')],
    ['in base64', base64(secret)],
    ['in base64 behind one byte', base64(`:${secret}`)],
    ['in base64 between others', base64(`me:${secret}:and more`)],
    ['in base64 for URLs', Buffer.from(`>>${secret}`).toString('base64url')],
  ])('finds a secret %s, and names the place', (_how, text) => {
    const texts = { stdout: 'nothing', '/status': text };
    expect(leaksIn({ code: 0, texts }, secrets)).toEqual(['/status: the token']);
  });

  test('searches every text for every secret', () => {
    const both = { 'the token': 'first-secret', 'the password': 'second-secret' };
    const texts = { stderr: 'first-secret', '/metrics': 'x', topic: 'first-secret second-secret' };
    expect(leaksIn({ code: 0, texts }, both)).toEqual([
      'stderr: the token',
      'topic: the token',
      'topic: the password',
    ]);
  });

  test('finds nothing in texts without a secret', () => {
    expect(leaksIn({ code: 0, texts: { stdout: '[secret] EAA/sec' } }, secrets)).toEqual([]);
  });
});
