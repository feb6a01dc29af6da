import { createHmac } from 'node:crypto';
import type { Grant, TokenOwner, TokenStore } from './store.ts';
import {
  readBoolean,
  readInteger,
  readList,
  readMap,
  readMembers,
  readOneOf,
  readText,
} from '../shape.ts';

/** The callers' app; its settings may change at any time. */
export interface App {
  clientId: string;
  clientSecret: string;
  name: string;
  /** True when every call must carry `appsecret_proof`. */
  requireProof: boolean;
  /**
   * The shape of Instagram Login's answer to an exchange of a code: as documented, or as recorded.
   */
  codeShape: 'data' | 'flat';
  /** The configurations of Facebook Login for Business, by id. */
  configurations: Readonly<Record<string, LoginConfiguration>>;
}

/** The settings of a configuration of Facebook Login for Business. */
export interface LoginConfiguration {
  /** The owner of the token that the code is exchanged for; default `user`. */
  readonly tokenType?: 'user' | 'system-user' | undefined;
  /** The life of a system user's token in days; absent: it never ends. */
  readonly expiresInDays?: number | undefined;
  /** The permissions; absent: all. */
  readonly scopes?: readonly string[] | undefined;
  /** True when the code is valid without the verifier of the proof key: no source records it. */
  readonly ignoresProofKey?: boolean | undefined;
}

/** The permissions that the callers have. */
const FACEBOOK_SCOPES = [
  'public_profile',
  'pages_show_list',
  'pages_read_engagement',
  'pages_manage_metadata',
  'business_management',
  'instagram_basic',
  'instagram_manage_insights',
  'instagram_manage_comments',
] as const;

const INSTAGRAM_SCOPES = [
  'instagram_business_basic',
  'instagram_business_manage_comments',
  'instagram_business_manage_insights',
] as const;

/** Returns the permissions of a token. */
export function scopesOf({ owner, scopes }: Grant): readonly string[] {
  return scopes ?? knownScopes(owner);
}

/** The kinds of data that permissions open. */
export type Readable = 'pages' | 'businesses' | 'basic' | 'insights' | 'people' | 'webhooks';

const NEEDED = {
  facebook: {
    pages: 'pages_show_list',
    businesses: 'business_management',
    basic: 'instagram_basic',
    insights: 'instagram_manage_insights',
    people: 'instagram_manage_comments',
    webhooks: 'pages_manage_metadata',
  },
  instagram: {
    pages: 'instagram_business_basic',
    businesses: 'instagram_business_basic',
    basic: 'instagram_business_basic',
    insights: 'instagram_business_manage_insights',
    people: 'instagram_business_manage_comments',
    webhooks: 'instagram_business_basic',
  },
} as const;

interface TokenHolder {
  readonly token: string;
  readonly dialect: keyof typeof NEEDED;
  readonly world: { readonly tokens: TokenStore };
}

/** True when a token has the permission to read this kind of data. */
export function mayRead(data: Readable, { token, dialect, world }: TokenHolder): boolean {
  const grant = world.tokens.find(token);
  return grant === undefined || scopesOf(grant).includes(NEEDED[dialect][data]);
}

/** Returns every permission of an owner's login. */
export function knownScopes({ kind }: TokenOwner): readonly string[] {
  return kind === 'account' ? INSTAGRAM_SCOPES : FACEBOOK_SCOPES;
}

/** Returns the token of the app itself. */
export function appToken({ clientId, clientSecret }: App): string {
  return `${clientId}|${clientSecret}`;
}

/** Returns the correct `appsecret_proof` of a token. */
export function proofOf(token: string, { clientSecret }: App): string {
  return createHmac('sha256', clientSecret).update(token).digest('hex');
}

const readConfiguration = readMembers<LoginConfiguration>({
  tokenType: readOneOf(['user', 'system-user']),
  expiresInDays: readInteger(1),
  scopes: readList(readText),
  ignoresProofKey: readBoolean,
});

/** Reads changes of an app from JSON; throws a `ShapeError` that names the path. */
export function readApp(value: unknown): Partial<App> {
  return readMembers<App>({
    clientId: readText,
    clientSecret: readText,
    name: readText,
    requireProof: readBoolean,
    codeShape: readOneOf(['data', 'flat']),
    configurations: readMap(readConfiguration),
  })(value, 'app');
}
