import type { InstagramStreamName } from '../instagram/streams/index.ts';
import { maxHashtags } from '../instagram/streams/hashtag-media.ts';
import type { AccountSettingsMap } from './account-settings.ts';
import type { ConfigProblem } from './config-error.ts';

type ListProblem = Omit<ConfigProblem, 'env'>;

/** The field with the names that each stream of public content reads. */
const lists = [
  ['discovered_users', 'instagram.discoveredUsers', 'INSTAGRAM_DISCOVERED_USERS', 'user name'],
  ['discovered_media', 'instagram.discoveredUsers', 'INSTAGRAM_DISCOVERED_USERS', 'user name'],
  ['hashtag_media', 'instagram.hashtags', 'INSTAGRAM_HASHTAGS', 'hashtag'],
] as const satisfies readonly (readonly [InstagramStreamName, string, string, string])[];

/** The problems of the lists of public content, each valid by itself. */
export function publicContentProblems(
  values: ReadonlyMap<string, unknown>,
): readonly ListProblem[] {
  const settings = (values.get('instagram.accountSettings') ?? {}) as AccountSettingsMap;
  const enabled = (values.get('streams.enabled') ?? []) as readonly string[];
  // `all` includes these streams without their names: they have nothing to read then.
  const named = new Set(
    [enabled, ...Object.values(settings).map((one) => one.streams ?? [])].flat(),
  );
  const missing = lists
    .filter(([stream, path]) => named.has(stream) && isEmpty(values.get(path)))
    .map(([stream, path, env, noun]) => ({
      path,
      received: 'nothing',
      expected: `one ${noun} or more, because ${stream} is enabled`,
      action: `set ${env}, or remove ${stream} from the streams`,
    }));
  return [...missing, ...excessProblems(values.get('instagram.hashtags'))];
}

/** A rejected list is reported already. */
function isEmpty(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0;
}

function excessProblems(hashtags: unknown): readonly ListProblem[] {
  if (!Array.isArray(hashtags) || hashtags.length <= maxHashtags) return [];
  return [
    {
      path: 'instagram.hashtags',
      received: `${hashtags.length} different hashtags`,
      expected: `at most ${maxHashtags}, because Meta lets an account search for ${maxHashtags} different ones in seven days`,
      action: `remove ${hashtags.length - maxHashtags} from INSTAGRAM_HASHTAGS`,
    },
  ];
}
