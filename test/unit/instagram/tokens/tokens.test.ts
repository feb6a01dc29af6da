import { describe, expect, test } from '@jest/globals';
import { Tokens } from '../../../../src/instagram/tokens/tokens.ts';
import { calm } from '../opened.ts';

const one = 'EAAone0123456789abcdefghij';
const two = 'EAAtwo0123456789abcdefghij';

describe('tokens', () => {
  test('have no name when there is one, and their places for names when there are several', () => {
    expect(new Tokens([one]).names()).toEqual(['']);
    const several = new Tokens([one, two]);
    expect(several.names()).toEqual(['1', '2']);
    expect(several.names().map((name) => several.text(name))).toEqual([one, two]);
  });

  test('keep their names when they are renewed, and wake who waits', async () => {
    const tokens = new Tokens([one, two]);
    const changed = tokens.changed(calm);

    expect(tokens.replace([one, `${two}NEW`])).toBe(true);

    await changed;
    expect(tokens.text('2')).toBe(`${two}NEW`);
  });

  test('do not change when the same come again, nor when none come', () => {
    const tokens = new Tokens([one]);

    expect([tokens.replace([one]), tokens.replace([])]).toEqual([false, false]);
    expect(tokens.text('')).toBe(one);
  });

  test('stay when one of the new ones fits in no header', () => {
    const tokens = new Tokens([one]);

    expect(() => tokens.replace([two, 'a\nb'])).toThrow('no HTTP header');
    expect(tokens.text('')).toBe(one);
  });

  test('are taken out of texts and bodies, those that were in use included (Invariant 9)', () => {
    const tokens = new Tokens([one]);
    tokens.replace([two]);

    expect(tokens.redact(`${one} ${two}`)).toBe('[secret] [secret]');
    expect(tokens.redactBody(`{"a":"${one}","b":"${two}"}`)).toBe(
      '{"a":"[secret]","b":"[secret]"}',
    );
  });

  test('reject who waits for a change with the reason of the abort', async () => {
    const stop = new AbortController();
    const changed = new Tokens([one]).changed(stop.signal);
    stop.abort(new Error('enough'));

    await expect(changed).rejects.toThrow('enough');
  });
});
