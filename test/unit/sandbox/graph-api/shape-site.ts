import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import type { Media } from '../../../../sandbox/graph-api/world/model.ts';
import { type Answer, type Asked, readAnswer, standingWorld, startAsking } from './asking.ts';

/** A simulator, and a media of each type in its first account. */
export interface ShapeSite {
  readonly asked: Asked;
  readonly account: string;
  /** The token of graph.instagram.com. */
  readonly instagram: { readonly access_token: string };
  readonly reel: string;
  readonly image: string;
  readonly feedVideo: string;
  readonly story: string;
  readonly converted: string;
  readonly notOnFacebook: string;
  /** Requests v26.0; the token comes last, as in the recordings, whose links keep that order. */
  get(path: string, query: Readonly<Record<string, string>>): Promise<Answer>;
}

/** Starts the simulator. */
export async function openShapeSite(): Promise<ShapeSite> {
  const asked = await startAsking(standingWorld({ mediaPerAccount: 60 }));
  const [account] = asked.world.accounts;
  const nowMs = asked.world.clock.now();
  const find = (isIt: (media: Media, type: unknown) => boolean): string => {
    const all = [...(account?.media ?? []), ...(account?.stories ?? [])];
    const found = all.find((one) => isIt(one, one.fields(nowMs)['media_type']));
    if (found === undefined) throw new Error('the world has no such media');
    return found.id;
  };
  return {
    asked,
    account: account?.id ?? '',
    instagram: { access_token: account?.instagramToken ?? '' },
    reel: find(({ productType }) => productType === 'REELS'),
    image: find((_, type) => type === 'IMAGE'),
    feedVideo: find(({ productType }, type) => productType === 'FEED' && type === 'VIDEO'),
    story: find((one) => one.productType === 'STORY' && (one.insights(nowMs)?.['reach'] ?? 0) > 5),
    converted: find(({ traits }) => traits.beforeConversion),
    notOnFacebook: find(({ traits }) => !traits.onFacebook),
    get: async (path, { access_token = asked.world.token, ...query }) => {
      const url = new URL(`/v26.0${path}`, asked.api.url);
      url.search = new URLSearchParams({ ...query, access_token }).toString();
      return readAnswer(await fetch(url));
    },
  };
}

/** The keys of an object in their order. */
export function keysOf(value: unknown): readonly string[] {
  return Object.keys(value as JsonObject);
}
