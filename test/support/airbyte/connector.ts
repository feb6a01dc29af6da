/**
 * What Airbyte's `source-instagram` 4.2.46 emits, worked out from the API's answers. A model of its
 * observed behaviour, written from a description of it; it shares no code with the program.
 */
import { type Api, type Json, type Node, Refused, textOf } from './api.ts';

const dayMs = 86_400_000;

/** The streams as the program names them, which is as the connector does. */
export interface Emitted {
  readonly users: readonly Node[];
  readonly user_lifetime_insights: readonly Node[];
  /** Accounts whose demographics it cannot read, which ends that stream. */
  readonly failing: readonly string[];
  readonly media: readonly Node[];
  readonly media_insights: readonly Node[];
  readonly stories: readonly Node[];
  readonly story_insights: readonly Node[];
  readonly user_insights: readonly Node[];
}

interface Owner {
  readonly page_id: string;
  readonly business_account_id: string;
}

const fieldsOfUser =
  'id,biography,ig_id,followers_count,follows_count,media_count,name,profile_picture_url,username,website';
const fieldsOfMedia =
  'caption,comments_count,id,ig_id,is_comment_enabled,like_count,media_type,media_product_type,media_url,owner,permalink,shortcode,thumbnail_url,timestamp,username,children';
const fieldsOfChild =
  'id,ig_id,media_type,media_url,owner,permalink,shortcode,thumbnail_url,timestamp,username';
const fieldsOfStory =
  'caption,id,ig_id,like_count,media_type,media_product_type,media_url,owner,permalink,shortcode,thumbnail_url,timestamp,username';

/** Reads every stream of every account, as a first sync does. */
export async function sync(api: Api, nowMs: number): Promise<Emitted> {
  const pages = await api.list('/me/accounts', { fields: 'id,instagram_business_account' });
  const owners = pages.flatMap((page): Owner[] => {
    const account = page['instagram_business_account'] as Node | undefined;
    return account === undefined
      ? []
      : [{ page_id: textOf(page['id']), business_account_id: textOf(account['id']) }];
  });
  const each = async <T>(read: (owner: Owner) => Promise<readonly T[]>): Promise<readonly T[]> => {
    const found: T[] = [];
    for (const owner of owners) found.push(...(await read(owner)));
    return found;
  };
  const demographics = await each(async (owner) => [await readDemographics(api, owner)]);
  const listed = await each((owner) => readMedia(api, owner));
  const stories = await each((owner) => readStories(api, owner));
  return {
    users: await each((owner) => readUser(api, owner)),
    user_lifetime_insights: demographics.flatMap(({ records }) => records),
    failing: demographics.flatMap(({ failing }) => failing),
    media: listed.map(({ record }) => record),
    media_insights: (
      await each(async (owner) =>
        readMediaInsights(
          api,
          owner,
          listed.filter(({ owner: whose }) => whose === owner),
        ),
      )
    ).flat(),
    stories: stories.map(({ record }) => record),
    story_insights: (
      await each(async (owner) =>
        readStoryInsights(
          api,
          owner,
          stories.filter(({ owner: whose }) => whose === owner),
        ),
      )
    ).flat(),
    user_insights: await each((owner) => readDays(api, owner, nowMs)),
  };
}

async function readUser(api: Api, owner: Owner): Promise<readonly Node[]> {
  const user = await api.get(`/${owner.business_account_id}`, { fields: fieldsOfUser });
  const picture = user['profile_picture_url'];
  return [
    {
      ...user,
      page_id: owner.page_id,
      ...(typeof picture === 'string' ? { profile_picture_url: without(picture, 'ccb') } : {}),
    },
  ];
}

async function readDemographics(api: Api, owner: Owner) {
  const records: Node[] = [];
  const failing: string[] = [];
  for (const breakdown of ['city', 'country', 'age,gender']) {
    const body = await api.get(`/${owner.business_account_id}/insights`, {
      limit: '100',
      metric: 'follower_demographics',
      period: 'lifetime',
      breakdown,
      metric_type: 'total_value',
    });
    const [insight] = body['data'] as readonly { total_value?: { breakdowns?: readonly Node[] } }[];
    const results = insight?.total_value?.breakdowns?.[0]?.['results'] as
      readonly { dimension_values: readonly string[]; value: number }[] | undefined;
    if (results === undefined) {
      failing.push(owner.business_account_id);
      continue;
    }
    const value = Object.fromEntries(
      results.map((result) => [result.dimension_values.join(','), result.value]),
    );
    records.push({ ...owner, breakdown, metric: 'follower_demographics', value });
  }
  return { records, failing: [...new Set(failing)] };
}

/** A listed media or story, as it came and as it is emitted. */
interface Listed {
  readonly owner: Owner;
  readonly raw: Node;
  readonly record: Node;
}

async function readMedia(api: Api, owner: Owner): Promise<readonly Listed[]> {
  const list = await api.list(`/${owner.business_account_id}/media`, { fields: fieldsOfMedia });
  const listed: Listed[] = [];
  for (const raw of list) {
    const children = raw['children'] as { data: readonly Node[] } | undefined;
    const { media_type = null, media_product_type = null, timestamp = null } = raw;
    const info = { media_id: raw['id'] ?? null, media_type, media_product_type, timestamp };
    const record: Node = {
      ...tidied(raw),
      ...owner,
      media_insights_info: { ...info, ...owner },
      ...(children === undefined ? {} : { children: await readChildren(api, children.data) }),
    };
    listed.push({ owner, raw, record });
  }
  return listed;
}

/** One request a child; a child that is refused is left out. */
async function readChildren(api: Api, children: readonly Node[]): Promise<readonly Node[]> {
  const found: Node[] = [];
  for (const { id } of children) {
    const child = await ignoring(api.get(`/${textOf(id)}`, { fields: fieldsOfChild }), () => true);
    if (child !== undefined) found.push(tidied(child));
  }
  return found;
}

async function readStories(api: Api, owner: Owner): Promise<readonly Listed[]> {
  const list = await api.list(`/${owner.business_account_id}/stories`, { fields: fieldsOfStory });
  return list.map((raw) => {
    const info = { story_id: raw['id'] ?? null, ...owner };
    return { owner, raw, record: { ...tidied(raw), ...owner, story_insights_info: info } };
  });
}

function metricsOf({ media_type: type, media_product_type: product }: Node): string {
  if (product === 'REELS') {
    return 'comments,ig_reels_avg_watch_time,ig_reels_video_view_total_time,likes,reach,saved,shares,views';
  }
  if (type === 'VIDEO' && product === 'FEED') return 'reach,saved';
  if (type === 'CAROUSEL_ALBUM') return 'reach,saved,shares,follows,profile_visits';
  return 'reach,saved,likes,comments,shares,follows,profile_visits';
}

async function readMediaInsights(api: Api, owner: Owner, listed: readonly Listed[]) {
  const records: Node[] = [];
  for (const { raw } of listed) {
    const metric = metricsOf(raw);
    const asked = api.get(`/${textOf(raw['id'])}/insights`, { metric });
    const body = await ignoring(asked, ({ code, subcode }) => subcode === 2108006 || code === 10);
    if (body === undefined) continue;
    const { id = null, timestamp = null } = raw;
    records.push({ ...firstValues(body), id, timestamp, ...owner });
  }
  return records;
}

async function readStoryInsights(api: Api, owner: Owner, listed: readonly Listed[]) {
  const metric = 'reach,replies,follows,profile_visits,shares,total_interactions,views';
  const records: Node[] = [];
  for (const { raw } of listed) {
    const asked = api.get(`/${textOf(raw['id'])}/insights`, { metric });
    const body = await ignoring(asked, ({ code }) => code === 10);
    if (body !== undefined) records.push({ ...firstValues(body), id: raw['id'] ?? null, ...owner });
  }
  return records;
}

const periods = [
  { period: 'day', metric: 'follower_count,reach' },
  { period: 'week', metric: 'reach' },
  { period: 'days_28', metric: 'reach' },
  { period: 'lifetime', metric: 'online_followers' },
];

/** Slices of a day from 30 days ago to a day ahead; in each, four answers merged on their date. */
async function readDays(api: Api, owner: Owner, nowMs: number): Promise<readonly Node[]> {
  const records: Node[] = [];
  for (let since = nowMs - 30 * dayMs; since < nowMs + dayMs; since += dayMs) {
    const window = { since: timeText(since), until: timeText(since + dayMs) };
    const days = new Map<string, Record<string, Json>>();
    for (const { period, metric } of periods) {
      const query = { period, metric, ...window };
      const body = await api.get(`/${owner.business_account_id}/insights`, query);
      const values = dayValues(body, period);
      if (values === undefined) continue;
      days.set(values.date, { ...days.get(values.date), ...values });
    }
    records.push(...[...days.values()].map((day) => ({ ...day, ...owner })));
  }
  return records.filter(({ date }) => Date.parse(textOf(date)) <= nowMs + dayMs);
}

function dayValues(body: Node, period: string): { date: string; [name: string]: Json } | undefined {
  const insights = body['data'] as readonly { name: string; values: readonly Node[] }[];
  const suffix = period === 'week' || period === 'days_28' ? `_${period}` : '';
  const firsts = insights.flatMap(({ name, values }) =>
    values[0] === undefined ? [] : [{ name: `${name}${suffix}`, first: values[0] }],
  );
  const date = firsts[0]?.first['end_time'];
  if (typeof date !== 'string') return undefined;
  const named = firsts.map(({ name, first }) => [name, first['value'] ?? null] as const);
  return { ...Object.fromEntries(named), date: date.replace('+0000', '+00:00') };
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}+00:00`;
}

function firstValues(body: Node): Node {
  const insights = body['data'] as readonly { name: string; values: readonly Node[] }[];
  return Object.fromEntries(
    insights.map(({ name, values }) => [name, values[0]?.['value'] ?? null]),
  );
}

/** Times with a colon in their offset, links without the parameter that names the request. */
function tidied(node: Node): Node {
  const { timestamp, media_url: url } = node;
  return {
    ...node,
    ...(typeof timestamp === 'string' ? { timestamp: timestamp.replace('+0000', '+00:00') } : {}),
    ...(typeof url === 'string' ? { media_url: without(url, '_nc_rid') } : {}),
  };
}

function without(link: string, name: string): string {
  const url = new URL(link);
  url.searchParams.delete(name);
  return url.toString();
}

async function ignoring<T>(
  asked: Promise<T>,
  isIgnored: (error: Refused) => boolean,
): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Refused && isIgnored(error)) return undefined;
    throw error;
  }
}
