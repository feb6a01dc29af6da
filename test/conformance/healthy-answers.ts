import { isNode, listOf, type Node } from '../../src/engine/json.ts';
import type { GraphRequest } from '../../src/engine/ports.ts';
import type { InstagramStreamName } from '../../src/instagram/streams/index.ts';
import { pageOf } from '../support/fake-graph.ts';
import { listStreamOf } from '../support/list-streams.ts';
import { examples } from './examples/index.ts';

/** A healthy answer to any request of a stream, with the shape of Meta's answers. */
export function healthyAnswer({ path, query }: Pick<GraphRequest, 'path' | 'query'>): Node {
  const [, id = '', edge] = path.split('/');
  const mention = /^(mentioned_media|mentioned_comment)\.\w+\((\d+)\)/.exec(query['fields'] ?? '');
  if (mention !== null) return mentionAnswer(mention, id);
  const list = listStreamOf(path);
  if (list !== undefined) return pageOf(listed(list.name), undefined);
  switch (edge) {
    case undefined:
      return objectOf(id, query);
    case 'recent_media':
    case 'top_media':
      return pageOf([without(examples.hashtag_media.node, ['hashtag_id', 'hashtag', 'list'])]);
    case 'comments':
      return pageOf([withReplies(id)], undefined);
    case 'replies':
      return pageOf([comment('17865799348089037')], undefined);
    default:
      return { data: metricsIn(query).map((name) => insight(name, id, query)) };
  }
}

/** The mentioned object, in the field of the account that the request expands. */
function mentionAnswer([, field = '', id = '']: readonly string[], accountId: string): Node {
  const added = ['media_id', 'comment_id'];
  const own = Object.entries(examples.mentions.node).filter(([name]) => !added.includes(name));
  return { [field]: { ...Object.fromEntries(own), id }, id: accountId };
}

/** An account, an account of others with its media, or the result of a search. */
function objectOf(id: string, { fields = '' }: GraphRequest['query']): Node {
  if (id === 'ig_hashtag_search') return { data: [{ id: '17841593698074073' }] };
  if (!fields.startsWith('business_discovery')) return { ...examples.users.node, id };
  const media = pageOf([without(examples.discovered_media.node, ['user_id'])]);
  const user = examples.discovered_users.node;
  return { business_discovery: fields.includes('media.limit') ? { ...user, media } : user, id };
}

function without(node: Node, added: readonly string[]): Node {
  return Object.fromEntries(Object.entries(node).filter(([name]) => !added.includes(name)));
}

function metricsIn(query: GraphRequest['query']): readonly string[] {
  return (query['metric'] ?? '').split(',');
}

/** Insights of a media are requested without a period. */
function insight(name: string, id: string, query: GraphRequest['query']): Node {
  if ('period' in query) return metric(name, query);
  const { breakdown } = query;
  const parts =
    breakdown === undefined ? {} : metric(name, { ...query, metric_type: 'total_value' });
  return { ...parts, ...lifetime(name, id) };
}

/** A comment without the fields that the stream adds. */
function comment(id: string): Node {
  return { ...without(examples.comments.node, ['media_id', 'parent_id']), id };
}

function withReplies(id: string): Node {
  return { ...comment(`${id}1`), replies: { data: [comment(`${id}2`)] } };
}

function listed(stream: string): readonly Node[] {
  const { node } = examples[stream as InstagramStreamName];
  return [node, withOtherIds(node)];
}

/** A copy of a node whose id, and the ids of its children, are others. */
function withOtherIds(node: Node): Node {
  const { id, children } = node;
  const data = isNode(children) ? children['data'] : undefined;
  const others = (listOf(data) ?? []).map((child) => (isNode(child) ? withOtherIds(child) : child));
  return {
    ...node,
    ...(typeof id === 'string' && { id: `${id.slice(0, -2)}9${id.slice(-1)}` }),
    ...(data !== undefined && { children: { data: others } }),
  };
}

function lifetime(name: string, id: string): Node {
  return {
    ...described(name, 'lifetime'),
    id: `${id}/insights/${name}/lifetime`,
    values: [{ value: 12 }],
  };
}

function described(name: string, period: string): Node {
  return { name, period, title: name, description: name };
}

function metric(name: string, query: Readonly<Record<string, string>>): Node {
  const { period = 'day', metric_type: type, breakdown } = query;
  if (type !== 'total_value') {
    return {
      ...described(name, period),
      values: [1, 2, 3].map((back) => point(name, back, query)),
    };
  }
  if (breakdown === undefined) return { ...described(name, period), total_value: { value: 7 } };
  const keys = breakdown.split(',');
  const results = [
    { dimension_values: keys.map(() => 'A'), value: 3 },
    { dimension_values: keys.map(() => 'B'), value: 4 },
  ];
  const breakdowns = [{ dimension_keys: keys, results }];
  return { ...described(name, period), total_value: { value: 7, breakdowns } };
}

/** A day of a series, counted back from the end of the window. */
function point(name: string, back: number, query: Readonly<Record<string, string>>): Node {
  const until = Math.floor(Number(query['until']) / 86_400) - back;
  return {
    value: name === 'online_followers' ? { '0': 5, '13': 8 } : 10 + back,
    end_time: new Date(until * 86_400_000).toISOString().replace('.000Z', '+0000'),
  };
}
