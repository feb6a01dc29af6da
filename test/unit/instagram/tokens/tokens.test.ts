import { describe, expect, test } from '@jest/globals';
import { Tokens } from '../../../../src/instagram/tokens/tokens.ts';
import { calm } from '../opened.ts';

const one = 'EAAone0123456789abcdefghij';
const two = 'EAAtwo0123456789abcdefghij';

describe('token set', () => {
  test('names a single token with the empty string, and several by their positions', () => {
    expect(new Tokens([one]).names()).toEqual(['']);
    const several = new Tokens([one, two]);
    expect(several.names()).toEqual(['1', '2']);
    expect(several.names().map((name) => several.text(name))).toEqual([one, two]);
  });

  test('keeps the names of renewed tokens, and wakes waiters', async () => {
    const tokens = new Tokens([one, two]);
    const changed = tokens.changed(calm);

    expect(tokens.replace([one, `${two}NEW`])).toBe(true);

    await changed;
    expect(tokens.text('2')).toBe(`${two}NEW`);
  });

  test('stays unchanged when it is replaced by the same tokens or by none', () => {
    const tokens = new Tokens([one]);

    expect([tokens.replace([one]), tokens.replace([])]).toEqual([false, false]);
    expect(tokens.text('')).toBe(one);
  });

  test('stays unchanged when no HTTP header can hold one of the new tokens', () => {
    const tokens = new Tokens([one]);

    expect(() => tokens.replace([two, 'a\nb'])).toThrow('no HTTP header');
    expect(tokens.text('')).toBe(one);
  });

  test('redacts its tokens, the former ones included, from texts and bodies (Invariant 9)', () => {
    const tokens = new Tokens([one]);
    tokens.replace([two]);

    expect(tokens.redact(`${one} ${two}`)).toBe('[secret] [secret]');
    expect(tokens.redactBody(`{"a":"${one}","b":"${two}"}`)).toBe(
      '{"a":"[secret]","b":"[secret]"}',
    );
  });

  test('rejects waiters with the reason of the abort', async () => {
    const stop = new AbortController();
    const changed = new Tokens([one]).changed(stop.signal);
    stop.abort(new Error('enough'));

    await expect(changed).rejects.toThrow('enough');
  });
});
