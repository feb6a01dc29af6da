import type { Fields } from '../src/core/fields.ts';
import type { Login } from '../src/core/account.ts';
import { fieldsParameter } from '../src/core/fields.ts';
import type { Node } from '../src/core/json.ts';
import { maxIds } from '../src/core/metric-groups.ts';
import { commentFields, commentsPage } from '../src/runtime/extract/comment-requests.ts';
import type { MetricGroup, Source, Stream } from '../src/core/stream.ts';
import { maxWindowMs, recentReachMs } from '../src/core/windows.ts';

type SourceOf<Kind extends Source['kind']> = Extract<Source, { readonly kind: Kind }>;

const dayMs = 86_400_000;

/** What a stream asks of the API, as Markdown: its requests, their number and its metrics. */
export function describeRequests({ source }: Stream): string {
  switch (source.kind) {
    case 'object':
      return describeObject(source.fields);
    case 'list':
      return describeList(source);
    case 'insights':
      return describeInsights(source);
    case 'series':
      return describeSeries(source);
    case 'comments':
      return describeComments(source);
    case 'totals':
      return describeTotals(source);
    case 'breakdowns':
      return describeBreakdowns(source);
  }
}

function code(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\``;
}

function describeObject(fields: Fields): string {
  const asked = `fields=${fieldsParameter(fields)}`;
  return [
    `One request for the accounts that are due together, ${maxIds} at most; an account that it cannot be had for is asked alone:`,
    code(`GET /?ids={accounts}&${asked}\nGET /{account}?${asked}`),
  ].join('\n\n');
}

/** How much of a list a poll walks. */
const walks = {
  media:
    'One request a page. The whole list is walked every `POLLING_MEDIA_LIST_INTERVAL` (a day); between, only the pages with media ' +
    'younger than `POLLING_NEW_MEDIA_AGE` (two days). So the caption and the counts of older media are up to a day old:',
  stories: 'One request a page, until the last:',
  tags:
    'One request a page. The whole list is walked every `POLLING_MEDIA_LIST_INTERVAL` (a day); between, only the pages with media ' +
    'younger than `POLLING_NEW_MEDIA_AGE` (two days):',
} as const;

function describeList(source: SourceOf<'list'>): string {
  const without = (source.facebookOnly ?? []).map((name) => `\`${name}\``).join(', ');
  return [
    `${walks[source.edge]}\n\n${code(listRequest(source))}`,
    ...(without === '' ? [] : [`With Instagram Login without ${without}.`]),
  ].join('\n\n');
}

function listRequest({ edge, fields }: Pick<SourceOf<'list'>, 'edge' | 'fields'>): string {
  return `GET /{account}/${edge}?fields=${fieldsParameter(fields)}&limit={page size}`;
}

function describeInsights(source: SourceOf<'insights'>): string {
  const fields = { ...source.listFields, ...source.besides };
  const list = listRequest({ edge: source.edge, fields });
  const requests = [
    list,
    'GET /?ids={ids}&fields=insights.metric({metrics})',
    'GET /?ids={ids}&fields=insights.metric({metrics}).breakdown({breakdown})',
  ];
  const groups = metricSets(source);
  const breakdown = groups.some(({ group }) => group.breakdown !== undefined);
  const rows = groups.map(
    ({ of, group: { metrics, breakdown: by } }) =>
      `| ${of} | ${metrics.map((metric) => `\`${metric}\``).join(', ')} | ${by === undefined ? '' : `\`${by}\``} |`,
  );
  return [
    'The list is walked, or taken from the stream that has walked it in the same round; media are asked as often as their age says ' +
      `(\`POLLING_…_MEDIA_…\`). One request for every ${maxIds} media that answer the same metrics, and for each of ` +
      'their rows below. A media or a metric that is refused is found by further requests and left out; the others are kept.',
    code(requests.slice(0, breakdown ? 3 : 2).join('\n')),
    ['| Of | Metrics | Breakdown |', '|---|---|---|', ...rows].join('\n'),
  ].join('\n\n');
}

interface MetricSet {
  readonly of: string;
  readonly group: MetricGroup;
}

/** The sets of metrics by what was listed and by login, each once. */
function metricSets({ edge, groups }: SourceOf<'insights'>): readonly MetricSet[] {
  const listed: readonly (readonly [string, Node])[] =
    edge === 'media'
      ? [
          ['`FEED`', { media_product_type: 'FEED' }],
          ['`REELS`', { media_product_type: 'REELS' }],
          ['any other product type', {}],
        ]
      : [['live stories', {}]];
  return listed.flatMap(([what, node]) => {
    const [facebook, instagram] = (['facebook', 'instagram'] as const).map((login: Login) =>
      groups(node, login),
    );
    return (facebook ?? []).flatMap((group, index) => {
      const other = instagram?.[index];
      if (JSON.stringify(group) === JSON.stringify(other)) return [{ of: what, group }];
      return [
        { of: `${what}, Facebook Login`, group },
        ...(other === undefined ? [] : [{ of: `${what}, Instagram Login`, group: other }]),
      ];
    });
  });
}

function describeSeries({ requests }: SourceOf<'series'>): string {
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

function describeComments({ listFields, fields }: SourceOf<'comments'>): string {
  const requests = [
    listRequest({ edge: 'media', fields: listFields }),
    `GET /?ids={ids}&fields=comments.limit(${commentsPage}){${commentFields(fields)}}`,
    `GET /{media}/comments?fields={the same}&limit=${commentsPage}&after={cursor}`,
    `GET /{comment}/replies?fields=${fieldsParameter(fields)}&limit=${commentsPage}&after={cursor}`,
  ];
  return [
    'The list is walked once for all streams that live on it. Only media whose `comments_count` is another than when they were last read are asked ' +
      `for, ${maxIds} in one request; beyond ${commentsPage} comments of a media, or ${commentsPage} replies to a comment, one more request for every ${commentsPage}.`,
    code(requests.join('\n')),
    'A comment is published once, when it is new: when it was written after the newest one of its media that was published, and a minute ago or more. So ' +
      '`like_count` and `hidden` are what they were then, and a comment that is deleted later is not told of. Where one is deleted and another written between ' +
      'two polls, the count is as it was, and the new one comes with the next.',
  ].join('\n\n');
}

function describeTotals({ requests }: SourceOf<'totals'>): string {
  const rows = requests.map(({ metrics, parts }) => {
    const names = metrics.map((metric) => `\`${metric}\``).join(', ');
    const fields = Object.entries(parts?.fields ?? {}).map(
      ([part, field]) => `\`${part}\` as \`${field}\``,
    );
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

function describeBreakdowns(source: SourceOf<'breakdowns'>): string {
  const { metric, period, breakdowns, timeframe } = source;
  const span = timeframe === undefined ? '' : `&timeframe=${timeframe}`;
  const requests = breakdowns.map(
    (breakdown) =>
      `GET /{account}/insights?metric=${metric}&period=${period}&metric_type=total_value&breakdown=${breakdown}${span}`,
  );
  return `${breakdowns.length} requests a poll:\n\n${code(requests.join('\n'))}`;
}
