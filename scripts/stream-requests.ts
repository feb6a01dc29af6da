import { type Fields, fieldsParameter, list } from '../src/instagram/model/fields.ts';
import type { Login } from '../src/engine/account.ts';
import { hashtagPage } from '../src/instagram/extract/hashtags.ts';
import { maxHashtags } from '../src/instagram/streams/hashtag-media.ts';
import type { Node } from '../src/engine/json.ts';
import { commentFields, commentsPage } from '../src/instagram/extract/comment-requests.ts';
import {
  type ByKind,
  type InstagramStream,
  type RequestOf,
  callByKind,
} from '../src/instagram/streams/stream.ts';
import { hashtagPages } from '../src/source-settings.ts';
import { maxWindowMs, recentReachMs } from '../src/instagram/model/windows.ts';

const dayMs = 86_400_000;

const describers: ByKind<[], string> = {
  object: ({ fields }) => describeObject(fields),
  list: describeList,
  children: describeChildren,
  insights: describeInsights,
  series: describeSeries,
  comments: describeComments,
  mentions: describeMentions,
  totals: describeTotals,
  breakdowns: describeBreakdowns,
  public: (request) => describePublic[request.of](request),
};

/** Describes a stream's API requests as Markdown: their fields, number and metrics. */
export function describeRequests({ request }: InstagramStream): string {
  return callByKind(describers, request);
}

/** The behaviour that the streams of public content have in common. */
const oneReader =
  'One account asks for all: the lowest id of the accounts that have the stream. The calls spend the platform limit of the app ' +
  '(200 an hour for each of its users), not the limit of the account: `scope_kind="platform"` in the metrics. Neither delays the other.';

const unknownUser =
  'A user name that is personal, private, age-gated or gone is skipped by name (`graph.user-not-public`) and requested again a day later.';

const describePublic = {
  users: describeUsers,
  media: describeDiscoveredMedia,
  hashtags: describeHashtags,
};

function describeUsers({ fields }: RequestOf<'public'>): string {
  return [
    'One request for each name of `INSTAGRAM_DISCOVERED_USERS`:',
    code(`GET /{account}?fields=business_discovery.username({name}){${fieldsParameter(fields)}}`),
    `${oneReader} ${unknownUser}`,
  ].join('\n\n');
}

function describeDiscoveredMedia({ fields }: RequestOf<'public'>): string {
  const media = `media.limit({page size}).after({cursor}){${fieldsParameter(fields)}}`;
  return [
    'One request for each page of the media of each name of `INSTAGRAM_DISCOVERED_USERS`, newest first, until a page ends with a media ' +
      'older than `INSTAGRAM_DISCOVERED_MEDIA_AGE` (30 days); where no media is that old, one more for the empty page at the end. ' +
      'Every media of a page is published, older ones too: the age limits the calls, not the records.',
    code(`GET /{account}?fields=business_discovery.username({name}){id,${media}}`),
    `${oneReader} ${unknownUser}`,
    'There are no tombstones: a media that is no longer returned may be older than that age, deleted or private.',
  ].join('\n\n');
}

function describeHashtags({ fields }: RequestOf<'public'>): string {
  const parameters = `user_id={account}&fields=${fieldsParameter(fields)}&limit=${hashtagPage}`;
  return [
    'One search for each name of `INSTAGRAM_HASHTAGS`, once, because the id is constant; then its two lists:',
    code(
      [
        'GET /ig_hashtag_search?user_id={account}&q={hashtag}',
        `GET /{hashtag}/recent_media?${parameters}`,
        `GET /{hashtag}/top_media?${parameters}`,
      ].join('\n'),
    ),
    `A list is read until a page has only media that are published already, or repeats itself, at most ${hashtagPages} pages in a poll. ` +
      'With `STREAM_HASHTAG_MEDIA_PUBLISH=always`, it is always read to that end.',
    oneReader,
    `Meta lets an account search for ${maxHashtags} different hashtags in seven days. The state counts them: a hashtag that replaces another within ` +
      'the seven days waits until the other no longer counts, and is skipped by name (`graph.hashtag-limit`) until then. A hashtag that Meta ' +
      'rejects is skipped by name (`graph.hashtag-refused`) and requested again a day later.',
  ].join('\n\n');
}

function code(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\``;
}

function describeMentions({ mediaFields, commentFields }: RequestOf<'mentions'>): string {
  const fieldOf = (edge: string, id: string, fields: Fields): string =>
    `GET /{account}?fields=${edge}.${id}({id}){${fieldsParameter(fields)}}`;
  const requests = [
    fieldOf('mentioned_media', 'media_id', mediaFields),
    fieldOf('mentioned_comment', 'comment_id', commentFields),
  ];
  return `One request for each mention that a webhook reports:\n\n${code(requests.join('\n'))}`;
}

function describeObject(fields: Fields): string {
  return `One request an account:\n\n${code(`GET /{account}?fields=${fieldsParameter(fields)}`)}`;
}

/** The scanned part of a list of media. */
const partScanned =
  'One request a page. The complete list is read every `POLLING_MEDIA_LIST_INTERVAL` (a day); between, only the pages with media ' +
  'younger than `POLLING_NEW_MEDIA_AGE` (two days).';

function describeScan(edge: string): string {
  if (edge === 'stories') return 'One request a page, until the last:';
  return `${partScanned} So the caption and the counts of older media are up to a day old:`;
}

function describeList(request: RequestOf<'list'>): string {
  const without = (request.facebookOnly ?? []).map((name) => `\`${name}\``).join(', ');
  return [
    `${describeScan(request.edge)}\n\n${code(listRequest(request))}`,
    ...(without === '' ? [] : [`With Instagram Login without ${without}.`]),
  ].join('\n\n');
}

function describeChildren({ listFields, fields }: RequestOf<'children'>): string {
  const request = { edge: 'media', fields: { ...listFields, children: list(fields) } };
  return (
    `${partScanned}\n\n${code(listRequest(request))}\n\n` +
    'The list is read apart from the other streams of media. A child is deleted by a tombstone once a reading of the complete list ' +
    'finds its album without it, or no album.'
  );
}

function listRequest({ edge, fields }: Pick<RequestOf<'list'>, 'edge' | 'fields'>): string {
  return `GET /{account}/${edge}?fields=${fieldsParameter(fields)}&limit={page size}`;
}

function describeInsights(request: RequestOf<'insights'>): string {
  const { edge, listFields, besides, separate } = request;
  const requests = [
    listRequest({ edge, fields: { ...listFields, ...besides } }),
    'GET /{media}/insights?metric={metrics}',
    ...Object.values(separate).map(
      ({ metric, breakdown }) =>
        `GET /{media}/insights?metric=${metric}${breakdown === undefined ? '' : `&breakdown=${breakdown}`}`,
    ),
  ];
  const when =
    edge === 'media'
      ? 'A media is due when it is new (`POLLING_NEW_MEDIA_AGE`), when one of its listed counts differs from what it was when its ' +
        'insights were last read, and otherwise as often as its age says (`POLLING_…_MEDIA_…`).'
      : 'Every live story is due at every poll.\n\n' +
        'A story that ends gets a last record: [the final numbers of a story](consuming.md#the-final-numbers-of-a-story).';
  const rows = metricSets(request).map(
    ({ of, metrics }) => `| ${of} | ${metrics.map((metric) => `\`${metric}\``).join(', ')} |`,
  );
  return [
    'The list is walked, or taken from the stream of the same account that has just walked it. Each media that is due is a ' +
      'request of its own, with Facebook Login 50 of them in one batch. A metric that a media rejects is left out for a week, and a ' +
      'media that is rejected while others are answered is left out for a while; the others are not touched by it.',
    when,
    code(requests.join('\n')),
    describeSeparate(request),
    ['| Of | Metrics |', '|---|---|', ...rows].join('\n'),
  ].join('\n\n');
}

/** Describes the metrics that have a request of their own. */
function describeSeparate({ edge, separate }: RequestOf<'insights'>): string {
  const optIn = Object.entries(separate).filter(([, { isOptIn }]) => isOptIn);
  const fields = optIn.map(([field]) => `\`${field}\``).join(', ');
  const last = edge === 'stories' ? ', and at the last poll before the story ends' : '';
  const variable = `STREAM_${edge === 'stories' ? 'STORY' : 'MEDIA'}_INSIGHTS_EXTRA`;
  return (
    'A metric with a breakdown is requested by its parts when its total is above 0 and has changed, once an hour at most' +
    `${last}; in between the last parts are repeated. \`${variable}\` adds ${fields}, each in a request of its own: a metric that a ` +
    'media rejects is null there, costs no other metric, and is requested of that media again after a week. If the request fails ' +
    'for another reason, the last value is repeated; after a restart there is none until the media is read again.'
  );
}

interface MetricSet {
  readonly of: string;
  readonly metrics: readonly string[];
}

const mediaKinds = [
  ['FEED', 'IMAGE'],
  ['FEED', 'CAROUSEL_ALBUM'],
  ['FEED', 'VIDEO'],
  ['REELS', 'VIDEO'],
] as const;

/** Returns the sets of metrics by listed kind and by login, each once. */
function metricSets({ edge, metrics }: RequestOf<'insights'>): readonly MetricSet[] {
  const listed: readonly (readonly [string, Node])[] =
    edge === 'media'
      ? [
          ...mediaKinds.map(
            ([product, type]) =>
              [`${product}, ${type}`, { media_product_type: product, media_type: type }] as const,
          ),
          ['any other kind', {}],
        ]
      : [['live stories', {}]];
  return listed.flatMap(([of, node]) => {
    const [facebook, instagram] = (['facebook', 'instagram'] as const).map((login: Login) =>
      metrics(node, login),
    );
    if (facebook?.join() === instagram?.join()) return [{ of, metrics: facebook ?? [] }];
    return [
      { of: `${of}, Facebook Login`, metrics: facebook ?? [] },
      { of: `${of}, Instagram Login`, metrics: instagram ?? [] },
    ];
  });
}

function describeSeries({ requests }: RequestOf<'series'>): string {
  const rows = requests.map(({ period, metrics, recentOnly }) => {
    const names = Object.entries(metrics).map(([metric, as]) =>
      metric === as ? `\`${metric}\`` : `\`${metric}\` as \`${as}\``,
    );
    return `| \`${period}\` | ${names.join(', ')} | ${recentOnly.map((name) => `\`${name}\``).join(', ')} |`;
  });
  return [
    `Up to ${requests.length} requests a window, one a row, merged by \`end_time\`. A window is at most ` +
      `${maxWindowMs / dayMs} days; what reaches back ${Math.ceil(recentReachMs / dayMs)} days only is left out of older ones.`,
    code(
      'GET /{account}/insights?metric={metrics}&period={period}&since={seconds}&until={seconds}',
    ),
    ['| Period | Metrics | Recent windows only |', '|---|---|---|', ...rows].join('\n'),
  ].join('\n\n');
}

function describeComments({ listFields, fields }: RequestOf<'comments'>): string {
  const requests = [
    listRequest({ edge: 'media', fields: listFields }),
    `GET /{media}/comments?fields=${commentFields(fields)}&limit=${commentsPage}[&after={cursor}]`,
    `GET /{comment}/replies?fields=${fieldsParameter(fields)}&limit=${commentsPage}&after={cursor}`,
  ];
  return [
    'The list is walked once for all streams that live on it. Only media whose `comments_count` is another than when they were last ' +
      `read are requested; beyond ${commentsPage} comments of a media, or ${commentsPage} replies to a comment, one more request for every ${commentsPage}.`,
    code(requests.join('\n')),
    'A comment is published once: at the first poll that finds it at least a minute old. One that becomes visible long after it ' +
      'was written is published then. So `like_count` and `hidden` are what they were at that poll, and the deletion of a comment ' +
      'is not reported. If between two polls one comment is deleted and another written, `comments_count` stays the same; the new ' +
      'comment is published after the count changes again. Of a media with more than 2,000 ' +
      'comments what is new is told by the time alone. Many comments are published in parts of `KAFKA_MAX_BATCH_RECORDS`, oldest ' +
      'first within a part; a reading that is interrupted goes on after its last part.',
  ].join('\n\n');
}

function describeTotals({ requests }: RequestOf<'totals'>): string {
  const rows = requests.map(({ metrics, parts }) => {
    const names = metrics.map((metric) => `\`${metric}\``).join(', ');
    const fields =
      typeof parts?.fields === 'string'
        ? [`all, in the map \`${parts.fields}\``]
        : Object.entries(parts?.fields ?? {}).map(([part, field]) => `\`${part}\` as \`${field}\``);
    return `| ${names} | ${parts === undefined ? '' : `\`${parts.breakdown}\``} | ${fields.join(', ')} |`;
  });
  return [
    `${requests.length} requests a day that has ended, one a row; again at each poll for as long as \`POLLING_LOOKBACK\` after its ` +
      'end, and once more. A day is one of US Pacific time, from midnight to midnight. A metric that is refused is left out for a week.',
    code(
      'GET /{account}/insights?metric={metrics}&period=day&metric_type=total_value[&breakdown={breakdown}]&since={beginning + 1 s}&until={end}',
    ),
    ['| Metrics | Breakdown | Its parts |', '|---|---|---|', ...rows].join('\n'),
  ].join('\n\n');
}

function describeBreakdowns(request: RequestOf<'breakdowns'>): string {
  const { metric, period, breakdowns, timeframe } = request;
  const span = timeframe === undefined ? '' : `&timeframe=${timeframe}`;
  const requests = breakdowns.map(
    (breakdown) =>
      `GET /{account}/insights?metric=${metric}&period=${period}&metric_type=total_value&breakdown=${breakdown}${span}`,
  );
  return `${breakdowns.length} requests a poll:\n\n${code(requests.join('\n'))}`;
}
