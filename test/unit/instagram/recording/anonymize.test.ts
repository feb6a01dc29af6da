import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json, Node } from '../../../../src/engine/json.ts';
import { anonymize } from '../../../../src/instagram/recording/anonymize.ts';
import type { Exchange } from '../../../../src/instagram/recording/exchange.ts';
import { createPseudonyms } from '../../../../src/instagram/recording/pseudonyms.ts';

const account = '17841400000000001';
const media = '18000000000000002';
const token = 'EAAGm0PX4ZCpsBAKZAlongrealtoken';

function exchange(path: string, query: Record<string, string>, body: Node): Exchange {
  const time = '2026-11-30T12:00:00.000Z';
  return {
    time,
    request: { method: 'GET', path: `/v25.0${path}`, query },
    response: { status: 200, body },
  };
}

const invent = () => createPseudonyms(Buffer.from('a key of the test'));

describe('anonymize', () => {
  test('replaces the same id by the same id in the path, the query, the body and links', () => {
    const next = `https://graph.facebook.com/v25.0/${account}/media?limit=2&access_token=${token}&after=QVFb`;
    const body = {
      data: [{ id: media, owner: { id: account }, username: 'somebody' }],
      paging: { cursors: { before: 'QVFa', after: 'QVFb' }, next },
    };
    const names = invent();
    const id = names.id(account);
    const after = names.token('QVFb');

    const { request, response } = anonymize(
      exchange(
        `/${account}/media`,
        { fields: 'id,owner,username', limit: '2', after: 'QVFb' },
        body,
      ),
      names,
    );

    expect(request).toEqual({
      method: 'GET',
      path: `/v25.0/${id}/media`,
      query: { fields: 'id,owner,username', limit: '2', after },
    });
    expect(response.body).toEqual({
      data: [{ id: names.id(media), owner: { id }, username: 'user.invented.1' }],
      paging: {
        cursors: { before: names.token('QVFa'), after },
        next: `https://graph.facebook.com/v25.0/${id}/media?limit=2&access_token=[secret]&after=${after}`,
      },
    });
    expect(id).toMatch(/^17\d{15}$/);
    expect(id).not.toBe(account);
  });

  test('keeps counts, times, enums, field names and unknown flags', () => {
    const body = {
      media_type: 'CAROUSEL_ALBUM',
      media_product_type: 'FEED',
      timestamp: '2026-11-29T08:00:00+0000',
      like_count: 1234,
      is_comment_enabled: true,
      a_field_of_2027: null,
    };

    expect(anonymize(exchange(`/${media}`, {}, body), invent()).response.body).toEqual(body);
  });

  test('keeps the title and the values of an insight, and the words of its id', () => {
    const entry = {
      name: 'reach',
      period: 'day',
      values: [{ value: 7, end_time: '2026-11-29T08:00:00+0000' }],
      title: 'Reach',
      description: 'The number of unique accounts that viewed your content.',
      id: `${account}/insights/reach/day`,
    };
    const names = invent();
    const query = { metric: 'reach', period: 'day' };

    const { response } = anonymize(
      exchange(`/${account}/insights`, query, { data: [entry] }),
      names,
    );

    const id = `${names.id(account)}/insights/reach/day`;
    expect(response.body).toEqual({ data: [{ ...entry, id }] });
  });

  test.each([
    ['country', 'FR', 'FR'],
    ['age', '25-34', '25-34'],
    ['follow_type', 'NON_FOLLOWER', 'NON_FOLLOWER'],
    ['city', 'Lyon, Rhône-Alpes', 'Invented City 1'],
    ['city', 'FR', 'Invented City 1'],
    ['country', 'zoe.quist', 'Invented City 1'],
  ])('a value of the breakdown %s: %s becomes %s', (dimension, value, shown) => {
    const results = [{ dimension_values: [value], value: 3 }];
    const body = { breakdowns: [{ dimension_keys: [dimension], results }] };

    const { response } = anonymize(
      exchange(`/${account}/insights`, { breakdown: dimension }, body),
      invent(),
    );

    expect(response.body).toEqual({
      breakdowns: [
        { dimension_keys: [dimension], results: [{ dimension_values: [shown], value: 3 }] },
      ],
    });
  });

  test('keeps the message of an error without the ids and the names in it', () => {
    const names = invent();
    anonymize(exchange('/me', {}, { username: 'zoe.quist' }), names);
    const message = `Object with ID '${media}' of zoe.quist does not exist, see https://developers.facebook.com/docs/graph-api`;
    const error = { message, type: 'GraphMethodException', code: 100, error_subcode: 33 };

    const { response } = anonymize(exchange(`/${media}`, {}, { error }), names);

    const shown = `Object with ID '${names.id(media)}' of user.invented.1 does not exist, see https://developers.facebook.com/docs/graph-api`;
    expect(response.body).toEqual({ error: { ...error, message: shown } });
  });

  test('invents a text of the length class, with its hashtags, mentions, lines and characters', () => {
    const caption = 'A walk in Zürich #alps #snow\nwith @zoe.quist';

    const { response } = anonymize(exchange(`/${media}`, {}, { caption }), invent());

    const shown = response.body['caption'] as string;
    expect(shown).toMatch(/^[a-z ]+\né🏔 #invented1 #invented2 @user\.invented\.1$/);
    expect(shown.length).toBeGreaterThan(48);
    expect(shown.length).toBeLessThanOrEqual(80);
  });

  test('replaces a URL by its path alone, and keeps its extension', () => {
    const of = (media_url: string) =>
      anonymize(exchange(`/${media}`, {}, { media_url }), createPseudonyms(Buffer.from('k')))
        .response.body['media_url'];
    const first = of('https://a.cdn.example/v/t51/photo.jpg?sig=1');

    expect(first).toMatch(/^https:\/\/invented\.example\/[\w-]+\/[\w-]+\/[\w-]+\.jpg$/);
    expect(of('https://b.cdn.example/v/t51/photo.jpg?sig=2')).toBe(first);
  });

  test('gives a short code the same name in its field and in the permalink', () => {
    const body = {
      permalink: 'https://www.instagram.com/p/DKx81aVMQ_e/',
      shortcode: 'DKx81aVMQ_e',
    };

    const shown = anonymize(exchange(`/${media}`, {}, body), invent()).response.body;

    expect(shown['permalink']).toBe(`https://invented.example/p/${shown['shortcode'] as string}/`);
    expect(shown['shortcode']).not.toBe(body.shortcode);
  });

  test('replaces the arguments of fields, and drops tokens and proofs of the query', () => {
    const names = invent();
    const query = {
      fields: `business_discovery.username(zoe.quist){media.limit(5).after(QVFb){id}},mentioned_media.media_id(${media}){id}`,
      access_token: token,
      appsecret_proof: 'abc',
    };

    expect(anonymize(exchange(`/${account}`, query, {}), names).request.query).toEqual({
      fields: `business_discovery.username(user.invented.1){media.limit(5).after(${names.token('QVFb')}){id}},mentioned_media.media_id(${names.id(media)}){id}`,
    });
  });

  test('another key invents other values', () => {
    const shown = [1, 2].map((key) => createPseudonyms(Uint8Array.of(key)).id(account));

    expect(shown[0]).not.toBe(shown[1]);
  });
});

/** Values of an account that must not occur in a recording. */
const originals = {
  id: account,
  longNumber: '900719925474099',
  username: 'zoe.quist_77',
  name: 'Zoë Quist & Sons',
  text: 'Our new shop in Kraków opens on Monday!\nCome by #kraków',
  word: 'Krakowianka77',
  token,
  url: 'https://scontent-a.cdninstagram.example/v/t51.2885-15/311_88_n.jpg?oh=00_AfD&oe=65',
  cursor: 'QVFIU2hDNzVmRVl6QVNDR1lkNVZArRm1mdDhl',
  address: 'zoe.quist@shop.example',
  shortcode: 'DKx81aVMQ_e',
};

/** The spellings in which a value could be hidden. */
function spellings(value: string): readonly string[] {
  const escaped = value.replaceAll(
    /[^ -~]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    encodeURIComponent(encodeURIComponent(value)),
    new URLSearchParams({ v: value }).toString().slice(2),
    Buffer.from(value).toString('base64').replace(/=+$/, '').slice(0, -1),
    escaped,
  ];
}

const someFields = [
  ...['id', 'ig_id', 'owner_id', 'username', 'name', 'caption', 'text', 'biography', 'website'],
  ...['media_type', 'media_product_type', 'type', 'period', 'timestamp', 'end_time', 'shortcode'],
  ...['media_url', 'permalink', 'before', 'after', 'next', 'previous', 'access_token', 'tasks'],
  ...['fbtrace_id', 'dimension_values', 'dimension_keys', 'breakdowns', 'results', 'a_new_field'],
  ...['data', 'paging', 'cursors', 'from', 'media', 'comments', 'replies', 'title', 'description'],
  ...['message', 'values', 'value', 'total_value', 'category_list', 'alt_text'],
];
/** Values that a text of Meta's, which is kept, may contain. */
const traces = [originals.id, originals.token, originals.url, originals.address];

describe('anonymize: whatever the API answers', () => {
  const secret = fc.constantFrom(...Object.values(originals));
  const inLink = secret.map(
    (value) =>
      `https://graph.facebook.com/v25.0/${account}/media?after=${encodeURIComponent(value)}&x=${encodeURIComponent(value)}`,
  );
  const mixed = fc.tuple(secret, secret).map(([a, b]) => `${a} / ${b}`);
  const message = fc
    .constantFrom(...traces)
    .map((value) => `(#100) Object '${value}' does not exist; see ${value}`);
  const leaf = fc.oneof(secret, inLink, mixed, fc.constant(Number(originals.longNumber)));
  const { body } = fc.letrec<{ value: Json; body: Node }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      tie('body'),
    ),
    body: fc.dictionary(
      fc.oneof(
        fc.constantFrom(...someFields),
        secret.filter((one) => /\W|[A-Z]|^\d+$/.test(one)),
      ),
      tie('value'),
      { maxKeys: 5 },
    ),
  }));
  const ofMeta = message.map((text): Node => ({ error: { message: text, error_user_msg: text } }));
  const query = fc.dictionary(
    fc.constantFrom('fields', 'metric', 'since', 'limit', 'after', 'access_token', 'q', 'batch'),
    secret,
  );

  const spelled = Object.values(originals).flatMap(spellings);

  test('no original value occurs in the line, in any spelling', () => {
    fc.assert(
      fc.property(query, fc.oneof(body, ofMeta), (sent, received) => {
        const names = invent();
        const line = JSON.stringify(
          anonymize(exchange(`/${account}/media`, sent, received), names),
        );
        expect(spelled.filter((spelling) => line.includes(spelling))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
