import { describe, expect, test } from '@jest/globals';
import * as formats from '../../../src/config/formats.ts';
import type { Format } from '../../../src/config/formats.ts';
import * as named from '../../../src/config/named-formats.ts';

const nowMs = Date.UTC(2026, 4, 12, 12);

/** The value, or what was expected instead. */
function read(format: Format<unknown>, raw: unknown): unknown {
  const parsed = format.parse(raw, nowMs);
  return parsed === undefined ? `expected ${format.expected}` : parsed;
}

function refusals(format: Format<unknown>, raws: readonly unknown[]): readonly unknown[] {
  return raws.filter((raw) => format.parse(raw, nowMs) === undefined);
}

describe('duration', () => {
  test.each([
    ['500ms', 500],
    ['15s', 15_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ])('reads %s as milliseconds', (text, ms) => {
    expect(read(formats.duration(), text)).toBe(ms);
  });

  test('refuses what has no unit, another unit, a sign, a fraction, white space or nothing', () => {
    const wrong = ['15', 15, '15min', '0s', '-5m', '+5m', '1.5h', ' 15m', '15 m', '015m', '', null];
    expect(refusals(formats.duration(), wrong)).toEqual(wrong);
  });

  test('refuses what is longer than a timer can wait', () => {
    expect(read(formats.duration(), '25d')).toBe(
      'expected a duration from 1ms to 24d, a number with its unit (ms, s, m, h, d)',
    );
  });

  test('takes both limits and refuses what is beyond them', () => {
    const format = formats.duration('10s', '15m');
    expect(refusals(format, ['10s', '15m', '900s', '9s', '9999ms', '16m'])).toEqual([
      '9s',
      '9999ms',
      '16m',
    ]);
  });
});

describe('apiVersion', () => {
  test('takes every vN.0 from v21.0 on, also one that is not out yet', () => {
    const format = named.apiVersion;
    expect(read(format, 'v21.0')).toBe('v21.0');
    expect(read(format, 'v26.0')).toBe('v26.0');
    expect(read(format, 'v100.0')).toBe('v100.0');
  });

  test('refuses an older version, and what is not written as Meta writes versions', () => {
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

describe('integer', () => {
  test('reads digits and JSON numbers', () => {
    const format = formats.integer(0, 65_535);
    expect([read(format, '0'), read(format, '8080'), read(format, 8080)]).toEqual([0, 8080, 8080]);
  });

  test('refuses what a lenient parser would cut or convert', () => {
    const wrong = ['15min', '1e3', '5.7', '0x10', '010', '+1', ' 1', '', 1.5, NaN, true, [1], null];
    expect(refusals(formats.integer(0, 65_535), wrong)).toEqual(wrong);
  });

  test('refuses what is out of range', () => {
    const format = formats.integer(1, 100);
    expect(read(format, '0')).toBe('expected a whole number from 1 to 100');
    expect(read(format, 101)).toBe('expected a whole number from 1 to 100');
  });

  test("takes -1 for the broker's own, and no other number below 1", () => {
    expect(refusals(formats.integerOrBroker(10), ['-1', -1, '3', '0', '-2', '11'])).toEqual([
      '0',
      '-2',
      '11',
    ]);
  });
});

describe('share', () => {
  test('reads a fraction within its limits', () => {
    const format = formats.fraction(0, 0.5);
    expect([read(format, '0'), read(format, '0.25'), read(format, 0.5)]).toEqual([0, 0.25, 0.5]);
    const wrong = ['0.6', '10%', '.1', '-0.1', '1e-1', '', 0.51, null];
    expect(refusals(format, wrong)).toEqual(wrong);
  });
});

describe('flag', () => {
  test('reads true and false, as text and as JSON', () => {
    expect(['true', true, 'false', false].map((raw) => read(formats.flag, raw))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('refuses every other word for them', () => {
    const wrong = ['no', 'yes', '0', '1', '', 'TRUE', 'False', 'off', 0, 1, null];
    expect(refusals(formats.flag, wrong)).toEqual(wrong);
  });
});

describe('list', () => {
  const format = formats.list(formats.text('a word', /^[a-z]+$/));

  test('splits at commas and trims', () => {
    expect(read(format, 'a, b ,c')).toEqual(['a', 'b', 'c']);
    expect(read(format, ['a', 'b'])).toEqual(['a', 'b']);
  });

  test('reads an empty text as the empty list', () => {
    expect(read(format, '')).toEqual([]);
  });

  test('refuses empty entries and entries of another type', () => {
    const wrong = ['a,,b', 'a,', ',', ' ', ['a', ''], [1], 1, null];
    expect(refusals(format, wrong)).toEqual(wrong);
  });

  test('refuses the empty list where an entry is needed', () => {
    expect(refusals(named.brokers, ['', []])).toEqual(['', []]);
  });
});

describe('scopes', () => {
  test('takes permissions between commas, spaces or in a list, and nothing else', () => {
    const wanted = ['instagram_basic', 'pages_show_list'];
    expect(read(named.scopes, 'instagram_basic,pages_show_list')).toEqual(wanted);
    expect(read(named.scopes, 'instagram_basic pages_show_list')).toEqual(wanted);
    expect(read(named.scopes, wanted)).toEqual(wanted);
    expect(read(named.scopes, '')).toEqual([]);
    const wrong = ['Instagram', 'a-b', 7, ['a b'], [7]];
    expect(refusals(named.scopes, wrong)).toEqual(wrong);
  });
});

describe('exactUrl', () => {
  test('leaves a URL as it is, to the letter', () => {
    expect(read(named.exactUrl, 'http://localhost:8087/')).toBe('http://localhost:8087/');
    expect(refusals(named.exactUrl, ['ftp://a', 'http://a/?b'])).toHaveLength(2);
  });
});

describe('url', () => {
  test('takes http and https and drops the slash at the end', () => {
    expect(read(named.url, 'http://127.0.0.1:8081/')).toBe('http://127.0.0.1:8081');
    expect(read(named.url, 'https://host/apis/ccompat/v7')).toBe('https://host/apis/ccompat/v7');
  });

  test('refuses other protocols, credentials, queries, fragments and half URLs', () => {
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

describe('brokers', () => {
  test('takes names, addresses and several of them', () => {
    expect(read(named.brokers, 'kafka-1:9092, 10.0.0.1:9092,[::1]:9092')).toEqual([
      'kafka-1:9092',
      '10.0.0.1:9092',
      '[::1]:9092',
    ]);
  });

  test('refuses a missing or impossible port, a protocol and credentials', () => {
    const wrong = ['kafka', 'kafka:', 'kafka:0', 'kafka:65536', 'PLAINTEXT://kafka:9092', 'a@b:1'];
    expect(refusals(named.brokers, wrong)).toEqual(wrong);
  });
});

describe('streams', () => {
  test('names the valid streams when one is unknown', () => {
    expect(read(named.streams, 'media,storys')).toBe(
      'expected a comma separated list of entries, none empty, each one of stories, ' +
        'story_insights, users, media, media_insights, user_insights, user_lifetime_insights, ' +
        'user_engaged_audience, user_reached_audience, user_daily_totals, tags, comments, default, all',
    );
  });
});

describe('account ids', () => {
  test('refuses JSON numbers, which would be rounded', () => {
    expect(read(named.accountIds, ['17841400000000001'])).toEqual(['17841400000000001']);
    expect(refusals(named.accountIds, [[17841400000000], 'name'])).toHaveLength(2);
  });
});

describe('topic template', () => {
  test('takes legal names with {stream} in them', () => {
    expect(read(named.topicTemplate, 'eu.ig_1.{stream}-v2')).toBe('eu.ig_1.{stream}-v2');
  });

  test('refuses a missing {stream}, other characters and names that are too long', () => {
    const wrong = [
      'instagram',
      'a b.{stream}',
      '{stream}.{name}',
      `${'a'.repeat(240)}{stream}`,
      '',
    ];
    expect(refusals(named.topicTemplate, wrong)).toEqual(wrong);
  });
});

describe('past date', () => {
  test('reads days as midnight UTC, and moments', () => {
    expect(read(named.pastDate, '2026-01-31')).toBe(1_769_817_600_000);
    expect(read(named.pastDate, '2026-01-31T12:00:00Z')).toBe(1_769_860_800_000);
  });

  test('refuses dates that are not in the calendar', () => {
    const wrong = ['2026-02-30', '2026-13-01', '2025-02-29', '2026-01-31T24:00:00Z', '2026-00-10'];
    expect(refusals(named.pastDate, wrong)).toEqual(wrong);
  });

  test('refuses the future', () => {
    expect(refusals(named.pastDate, ['2026-05-12', '2026-05-13', '2026-05-12T12:00:01Z'])).toEqual([
      '2026-05-13',
      '2026-05-12T12:00:01Z',
    ]);
  });

  test('refuses other notations', () => {
    const wrong = ['31.01.2026', '2026-1-31', '2026-01-31T12:00:00', '1769817600', 1769817600, ''];
    expect(refusals(named.pastDate, wrong)).toEqual(wrong);
  });
});

describe('optional', () => {
  test('reads an empty text and null as not set', () => {
    const format = formats.optional(named.url);
    expect([read(format, ''), read(format, null)]).toEqual([null, null]);
  });

  test('refuses an empty text for a secret', () => {
    expect(refusals(formats.optional(named.secret('a password', /^.+$/)), ['', null])).toEqual([
      '',
    ]);
  });
});

describe('tokens', () => {
  test.each([
    ['one', 'EAAone', ['EAAone']],
    ['several, separated by commas', 'EAAone, EAAtwo', ['EAAone', 'EAAtwo']],
    ['several, each on a line of a file', 'EAAone\r\nEAAtwo\n\n', ['EAAone', 'EAAtwo']],
    ['a list of the configuration file', ['EAAone', 'EAAtwo'], ['EAAone', 'EAAtwo']],
  ])('are read as %s', (_name, raw, expected) => {
    expect(read(named.tokens, raw)).toEqual(expected);
  });

  test('are refused when one has a space within, stands twice, or there is none', () => {
    const wrong = ['EAA one', 'EAAone,EAAone', '', ' , ', [], ['EAAone', 5], null, 'EAA\u00e9'];
    expect(refusals(named.tokens, wrong)).toEqual(wrong);
  });

  test('are secrets', () => {
    expect(named.tokens.secret).toBe(true);
  });
});
