/**
 * The expected records in Kafka, derived from the truth of the simulated world. Written from the
 * documentation of the streams alone; shares no code with the program.
 */
type Fields = Readonly<Record<string, unknown>>;

export const STREAM_NAMES = [
  'users',
  'user_insights',
  'user_lifetime_insights',
  'media',
  'media_insights',
  'stories',
  'story_insights',
] as const;

export type StreamName = (typeof STREAM_NAMES)[number];

/** A post or story in the simulator's truth. */
export interface TrueMedia {
  readonly fields: Fields;
  readonly children: readonly Fields[];
  readonly before_conversion: boolean;
  readonly insights: Readonly<Record<string, number>> | null;
  readonly navigation: Readonly<Record<string, number>> | null;
}

/** An account in the simulator's truth. */
export interface TrueAccount {
  readonly id: string;
  readonly page_id: string;
  readonly user: Fields;
  readonly media: readonly TrueMedia[];
  readonly stories: readonly TrueMedia[];
  readonly days: readonly Fields[];
  readonly demographics: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The simulator's truth at one time. */
export interface Truth {
  readonly now: string;
  readonly accounts: readonly TrueAccount[];
}

const DAY_MS = 86_400_000;
/** Below this number Meta returns neither demographics nor daily followers. */
const FEWEST_FOLLOWERS = 100;
const FEWEST_VIEWERS = 5;

const userFields = `id biography followers_count follows_count media_count name username website
  has_profile_pic is_published`;
const mediaFields = `id ig_id caption comments_count is_comment_enabled like_count media_type
  media_product_type permalink shortcode username alt_text media_audio_type is_ai_generated is_shared_to_feed
  legacy_instagram_media_id reposts_count saved_count shares_count
  total_like_count total_comments_count total_views_count`;
const childFields = 'id ig_id media_type permalink shortcode username';
const storyFields = `id ig_id caption like_count media_type media_product_type permalink shortcode
  username`;
const mediaMetrics = `views reach saved likes comments shares total_interactions reposts follows
  profile_visits profile_activity ig_reels_avg_watch_time ig_reels_video_view_total_time
  reels_skip_rate`;
const storyMetrics = `reach replies follows profile_visits shares total_interactions views
  navigation link_clicks profile_activity`;
/** Metrics that are requested only where a setting names them. */
const extraMetrics = `crossposted_views facebook_views total_views total_likes total_comments
  profile_activity_actions`;

/** The named values; null when the world has none. */
function pick(names: string, from: Fields): Record<string, unknown> {
  return Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, from[name] ?? null]),
  );
}

function timeOf(text: unknown): number {
  return Date.parse(String(text));
}

/** A signed URL without its signature; null stays null. */
export function unsigned(url: unknown): string | null {
  return typeof url === 'string' ? (url.split('?')[0] ?? null) : null;
}

function originOf(account: TrueAccount) {
  return { business_account_id: account.id, page_id: account.page_id };
}

function linksOf(fields: Fields) {
  return {
    media_url: unsigned(fields['media_url']),
    thumbnail_url: unsigned(fields['thumbnail_url']),
    timestamp: timeOf(fields['timestamp']),
    owner: fields['owner'],
  };
}

function expectedMedia(account: TrueAccount, media: TrueMedia) {
  const children = media.children.map((child) => ({
    ...pick(childFields, child),
    ...linksOf(child),
  }));
  return {
    ...originOf(account),
    ...pick(mediaFields, media.fields),
    ...linksOf(media.fields),
    children: children.length === 0 ? null : children,
  };
}

/** `business_account_id/end_time`, the form of the record's key. */
function dayKey(account: TrueAccount, day: Fields): string {
  return `${account.id}/${String(day['end_time']).replace('+0000', 'Z')}`;
}

/** The days that the program must publish, from the start date on. */
export function expectedDays(truth: Truth, startDate: string): Map<string, Fields> {
  const recentMs = timeOf(truth.now) - 30 * DAY_MS + 3_600_000;
  const days = truth.accounts.flatMap((account) =>
    account.days
      .filter((day) => timeOf(day['end_time']) >= Date.parse(startDate))
      .map((day) => {
        const recent = timeOf(day['end_time']) >= recentMs;
        const online = day['online_followers'];
        return [
          dayKey(account, day),
          {
            ...originOf(account),
            date: timeOf(day['end_time']),
            ...pick('reach reach_week reach_days_28', day),
            follower_count: recent ? (day['follower_count'] ?? null) : null,
            online_followers: recent ? (online ?? null) : null,
          },
        ] as const;
      }),
  );
  return new Map(days);
}

function demographicsOf(account: TrueAccount) {
  const followers = Number(account.user['followers_count']);
  return followers < FEWEST_FOLLOWERS
    ? []
    : ['city', 'country', 'age,gender'].map(
        (breakdown) =>
          [
            `${account.id}/${breakdown}`,
            {
              ...originOf(account),
              metric: 'follower_demographics',
              breakdown,
              value: account.demographics[breakdown],
            },
          ] as const,
      );
}

/** The records of each stream by key; URLs are unsigned, `polled_at` is omitted. */
export function expectedRecords(
  truth: Truth,
  startDate: string,
): Readonly<Record<StreamName, ReadonlyMap<string, Fields>>> {
  const each = <T>(list: (account: TrueAccount) => readonly (readonly [string, T])[]) =>
    new Map(truth.accounts.flatMap(list));
  const idOf = ({ fields }: TrueMedia) => String(fields['id']);
  return {
    users: each((account) => [
      [
        account.id,
        {
          ...originOf(account),
          ...pick(userFields, account.user),
          ig_id: String(account.user['ig_id']),
          profile_picture_url: unsigned(account.user['profile_picture_url']),
        },
      ],
    ]),
    user_insights: expectedDays(truth, startDate),
    user_lifetime_insights: each<Fields>(demographicsOf),
    media: each((account) =>
      account.media.map((media) => [idOf(media), expectedMedia(account, media)]),
    ),
    media_insights: each((account) =>
      account.media
        .filter((media) => !media.before_conversion)
        .map((media) => [
          idOf(media),
          {
            ...originOf(account),
            ...pick('id media_type media_product_type', media.fields),
            timestamp: timeOf(media.fields['timestamp']),
            ...pick(mediaMetrics, media.insights ?? {}),
            ...pick(extraMetrics, {}),
          },
        ]),
    ),
    stories: each((account) =>
      account.stories.map((story) => [
        idOf(story),
        {
          ...originOf(account),
          ...pick(storyFields, story.fields),
          ...linksOf(story.fields),
        },
      ]),
    ),
    story_insights: each((account) =>
      account.stories
        .filter(({ insights }) => (insights?.['reach'] ?? 0) >= FEWEST_VIEWERS)
        .map((story) => [
          idOf(story),
          {
            ...originOf(account),
            id: story.fields['id'],
            timestamp: timeOf(story.fields['timestamp']),
            ...pick(storyMetrics, story.insights ?? {}),
            navigation_actions: Object.fromEntries(
              Object.entries(story.navigation ?? {}).filter(([, count]) => count > 0),
            ),
            // A live story has no last record yet.
            is_final: false,
            final_source: null,
            not_final_reason: null,
            measured_at: null,
            profile_activity_actions: null,
          },
        ]),
    ),
  };
}
