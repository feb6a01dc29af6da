import { describe, expect, test } from '@jest/globals';
import * as formats from '../../../src/config/formats.ts';
import type { Format } from '../../../src/config/formats.ts';
import * as named from '../../../src/config/named-formats.ts';
import { streamNames } from '../../../src/instagram/streams/index.ts';

const nowMs = Date.UTC(2026, 4, 12, 12);

/** The value, or what was expected instead. */
function read(format: Format<unknown>, raw: unknown): unknown {
  const parsed = format.parse(raw, nowMs);
  return parsed === undefined ? `expected ${format.expected}` : parsed;
}

function refusals(format: Format<unknown>, raws: readonly unknown[]): readonly unknown[] {
  return raws.filter((raw) => format.parse(raw, nowMs) === undefined);
}

describe('the format duration', () => {
  test.each([
    ['500ms', 500],
    ['15s', 15_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ])('reads %s as milliseconds', (text, ms) => {
    expect(read(formats.duration(), text)).toBe(ms);
  });

  test('rejects a missing or unknown unit, a sign, a fraction, white space and an empty string', () => {
    const wrong = ['15', 15, '15min', '0s', '-5m', '+5m', '1.5h', ' 15m', '15 m', '015m', '', null];
    expect(refusals(formats.duration(), wrong)).toEqual(wrong);
  });

  test('rejects a duration beyond the limit of timers', () => {
    expect(read(formats.duration(), '25d')).toBe(
      'expected a duration from 1ms to 24d, a number with its unit (ms, s, m, h, d)',
    );
  });

  test('accepts both limits and rejects values beyond them', () => {
    const format = formats.duration('10s', '15m');
    expect(refusals(format, ['10s', '15m', '900s', '9s', '9999ms', '16m'])).toEqual([
      '9s',
      '9999ms',
      '16m',
    ]);
  });
});

describe('the format apiVersion', () => {
  test('accepts every vN.0 from v21.0 on, released or not', () => {
    const format = named.apiVersion;
    expect(read(format, 'v21.0')).toBe('v21.0');
    expect(read(format, 'v26.0')).toBe('v26.0');
    expect(read(format, 'v100.0')).toBe('v100.0');
  });

  test('rejects an older version and any other notation', () => {
    const wrong = [
      'v20.0',
      'v9.0',
      'v21.1',
      'v026.0',
      'v26',
      '26.0',
      'V26.0',
      ' v26.0',
      26,
      '',
      null,
    ];
    expect(refusals(named.apiVersion, wrong)).toEqual(wrong);
  });
});

describe('the format integer', () => {
  test('reads digits and JSON numbers', () => {
    const format = formats.integer(0, 65_535);
    expect([read(format, '0'), read(format, '8080'), read(format, 8080)]).toEqual([0, 8080, 8080]);
  });

  test('rejects what a lenient parser would truncate or convert', () => {
    const wrong = ['15min', '1e3', '5.7', '0x10', '010', '+1', ' 1', '', 1.5, NaN, true, [1], null];
    expect(refusals(formats.integer(0, 65_535), wrong)).toEqual(wrong);
  });

  test('rejects values out of range', () => {
    const format = formats.integer(1, 100);
    expect(read(format, '0')).toBe('expected a whole number from 1 to 100');
    expect(read(format, 101)).toBe('expected a whole number from 1 to 100');
  });

  test("accepts -1 for the broker's own value, and no other number below 1", () => {
    expect(refusals(formats.integerOrBroker(10), ['-1', -1, '3', '0', '-2', '11'])).toEqual([
      '0',
      '-2',
      '11',
    ]);
  });
});

describe('the format fraction', () => {
  test('reads a fraction within its limits', () => {
    const format = formats.fraction(0, 0.5);
    expect([read(format, '0'), read(format, '0.25'), read(format, 0.5)]).toEqual([0, 0.25, 0.5]);
    const wrong = ['0.6', '10%', '.1', '-0.1', '1e-1', '', 0.51, null];
    expect(refusals(format, wrong)).toEqual(wrong);
  });
});

describe('the format flag', () => {
  test('reads true and false, as text and as JSON', () => {
    expect(['true', true, 'false', false].map((raw) => read(formats.flag, raw))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('rejects every other word', () => {
    const wrong = ['no', 'yes', '0', '1', '', 'TRUE', 'False', 'off', 0, 1, null];
    expect(refusals(formats.flag, wrong)).toEqual(wrong);
  });
});

describe('the format list', () => {
  const format = formats.list(formats.text('a word', /^[a-z]+$/));

  test('splits at commas and trims the entries', () => {
    expect(read(format, 'a, b ,c')).toEqual(['a', 'b', 'c']);
    expect(read(format, ['a', 'b'])).toEqual(['a', 'b']);
  });

  test('reads an empty string as the empty list', () => {
    expect(read(format, '')).toEqual([]);
  });

  test('rejects empty entries and entries of another type', () => {
    const wrong = ['a,,b', 'a,', ',', ' ', ['a', ''], [1], 1, null];
    expect(refusals(format, wrong)).toEqual(wrong);
  });

  test('rejects the empty list where an entry is required', () => {
    expect(refusals(named.brokers, ['', []])).toEqual(['', []]);
  });
});

describe('the format scopes', () => {
  test('accepts permissions separated by commas or spaces or in a list, and rejects anything else', () => {
    const wanted = ['instagram_basic', 'pages_show_list'];
    expect(read(named.scopes, 'instagram_basic,pages_show_list')).toEqual(wanted);
    expect(read(named.scopes, 'instagram_basic pages_show_list')).toEqual(wanted);
    expect(read(named.scopes, wanted)).toEqual(wanted);
    expect(read(named.scopes, '')).toEqual([]);
    const wrong = ['Instagram', 'a-b', 7, ['a b'], [7]];
    expect(refusals(named.scopes, wrong)).toEqual(wrong);
  });
});

describe('the format exactUrl', () => {
  test('keeps a URL unchanged, including a slash at its end', () => {
    expect(read(named.exactUrl, 'http://localhost:8087/')).toBe('http://localhost:8087/');
    expect(refusals(named.exactUrl, ['ftp://a', 'http://a/?b'])).toHaveLength(2);
  });
});

describe('the format url', () => {
  test('accepts http and https and removes the slash at the end', () => {
    expect(read(named.url, 'http://127.0.0.1:8081/')).toBe('http://127.0.0.1:8081');
    expect(read(named.url, 'https://host/apis/ccompat/v7')).toBe('https://host/apis/ccompat/v7');
  });

  test('rejects other protocols, credentials, queries, fragments and incomplete URLs', () => {
    const wrong = [
      'ftp://host',
      'host:8081',
      'http:host',
      'http://',
      'http://user:password@host',
      'http://host/?token=1',
      'http://host/#a',
      ' http://host',
      'http://host:99999',
      '',
      null,
    ];
    expect(refusals(named.url, wrong)).toEqual(wrong);
  });
});

describe('the format brokers', () => {
  test('accepts host names, addresses and lists of them', () => {
    expect(read(named.brokers, 'kafka-1:9092, 10.0.0.1:9092,[::1]:9092')).toEqual([
      'kafka-1:9092',
      '10.0.0.1:9092',
      '[::1]:9092',
    ]);
  });

  test('rejects a missing or invalid port, a protocol and credentials', () => {
    const wrong = ['kafka', 'kafka:', 'kafka:0', 'kafka:65536', 'PLAINTEXT://kafka:9092', 'a@b:1'];
    expect(refusals(named.brokers, wrong)).toEqual(wrong);
  });
});

describe('the format streams', () => {
  test('lists the valid streams when one is unknown', () => {
    expect(read(named.streams, 'media,storys')).toBe(
      'expected a comma separated list of entries, none empty, each one of ' +
        `${streamNames.join(', ')}, default, all`,
    );
  });
});

describe('the format accounts', () => {
  test('reads ids, and user names with or without @ and in any case', () => {
    expect(read(named.accounts, '17841400000000001, @Some.Name_1,other,@123')).toEqual([
      '17841400000000001',
      '@some.name_1',
      '@other',
      '@123',
    ]);
  });

  test('rejects JSON numbers, which would be rounded, and texts that are no user name', () => {
    const wrong = [[17841400000000], 'a-b', '@', '@@name', 'a'.repeat(31), '1'.repeat(26)];
    expect(refusals(named.accounts, wrong)).toHaveLength(wrong.length);
  });
});

describe('the format topicTemplate', () => {
  test('accepts legal topic names with {stream}', () => {
    expect(read(named.topicTemplate, 'eu.ig_1.{stream}-v2')).toBe('eu.ig_1.{stream}-v2');
    expect(read(named.topicTemplate, 'ig.{account}.{stream}')).toBe('ig.{account}.{stream}');
  });

  test('rejects a missing {stream}, illegal characters and names that are too long', () => {
    const wrong = [
      'instagram',
      'a b.{stream}',
      '{stream}.{name}',
      `${'a'.repeat(240)}{stream}`,
      // Account ids have up to 25 digits.
      `${'a'.repeat(205)}{account}{stream}`,
      'ig.{account}',
      '',
    ];
    expect(refusals(named.topicTemplate, wrong)).toEqual(wrong);
  });
});

describe('the format pastDate', () => {
  test('reads dates as midnight UTC, and times', () => {
    expect(read(named.pastDate, '2026-01-31')).toBe(1_769_817_600_000);
    expect(read(named.pastDate, '2026-01-31T12:00:00Z')).toBe(1_769_860_800_000);
  });

  test('rejects dates that are not in the calendar', () => {
    const wrong = ['2026-02-30', '2026-13-01', '2025-02-29', '2026-01-31T24:00:00Z', '2026-00-10'];
    expect(refusals(named.pastDate, wrong)).toEqual(wrong);
  });

  test('rejects the future', () => {
    expect(refusals(named.pastDate, ['2026-05-12', '2026-05-13', '2026-05-12T12:00:01Z'])).toEqual([
      '2026-05-13',
      '2026-05-12T12:00:01Z',
    ]);
  });

  test('rejects other notations', () => {
    const wrong = ['31.01.2026', '2026-1-31', '2026-01-31T12:00:00', '1769817600', 1769817600, ''];
    expect(refusals(named.pastDate, wrong)).toEqual(wrong);
  });
});

describe('the format optional', () => {
  test('reads an empty string and null as null', () => {
    const format = formats.optional(named.url);
    expect([read(format, ''), read(format, null)]).toEqual([null, null]);
  });

  test('rejects an empty string for a secret', () => {
    expect(refusals(formats.optional(named.secret('a password', /^.+$/)), ['', null])).toEqual([
      '',
    ]);
  });
});

describe('the format tokens', () => {
  test.each([
    ['one token', 'EAAone', ['EAAone']],
    ['several tokens, separated by commas', 'EAAone, EAAtwo', ['EAAone', 'EAAtwo']],
    ['several tokens, one per line of a file', 'EAAone\r\nEAAtwo\n\n', ['EAAone', 'EAAtwo']],
    ['a list of the configuration file', ['EAAone', 'EAAtwo'], ['EAAone', 'EAAtwo']],
  ])('reads %s', (_name, raw, expected) => {
    expect(read(named.tokens, raw)).toEqual(expected);
  });

  test('rejects a token with a space, a repeated token and an empty list', () => {
    const wrong = ['EAA one', 'EAAone,EAAone', '', ' , ', [], ['EAAone', 5], null, 'EAA\u00e9'];
    expect(refusals(named.tokens, wrong)).toEqual(wrong);
  });

  test('is marked as secret', () => {
    expect(named.tokens.secret).toBe(true);
  });
});
