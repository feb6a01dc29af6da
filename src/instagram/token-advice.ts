import type { Login } from '../engine/account.ts';

/** The advice to get a new token, as the middle of a sentence. */
export const renewAdvice =
  'get a new token (instagram-kafka login) and set INSTAGRAM_ACCESS_TOKEN, or write it to the file of INSTAGRAM_ACCESS_TOKEN_FILE';

/** The advice for code 190, by subcode. Source: Graph API, "Handling errors", read 2026-10. */
const bySubcode: Readonly<Record<number, string>> = {
  458: `the app is no longer installed for the token's user: let the user authorise the app again, then ${renewAdvice}`,
  459: "the token's user is held at a checkpoint: the user must log in at https://www.facebook.com and pass it, then resume the stream, or restart",
  460: `the user's password was changed: log in again, ${renewAdvice}`,
  463: `the access token has expired: ${renewAdvice} (a system user's token does not expire)`,
  464: "the token's user is not confirmed: the user must log in at https://www.facebook.com and confirm the account, then resume the stream, or restart",
  467: `the access token was revoked (logged out, or access was taken away): ${renewAdvice}`,
  492: `the token's user has no role on the Facebook page any more: give the user a role on the page, then ${renewAdvice}`,
};

const otherLogin: Readonly<Record<Login, string>> = {
  facebook: 'an Instagram Login token needs INSTAGRAM_LOGIN=instagram',
  instagram: 'a Facebook Login token needs INSTAGRAM_LOGIN=facebook',
};

/** Returns the problem with the token and its fix, as the middle of a sentence. */
export function tokenAdvice(subcode: number | null, login: Login): string {
  return (
    (subcode === null ? undefined : bySubcode[subcode]) ??
    `the access token is not accepted (mistyped, expired, revoked, or of the other login: ${otherLogin[login]}): ${renewAdvice}`
  );
}

/** The advice for an error of the app itself, as the middle of a sentence. */
export const appAdvice =
  "the app's id or its secret is missing or another's: set INSTAGRAM_CLIENT_ID and INSTAGRAM_CLIENT_SECRET to those of the app that the token was made for, then restart";

/** The advice for code 415, as the middle of a sentence. */
export const twoFactorAdvice =
  "the business requires two-factor authentication: the token's user must complete two-factor authentication in Business Manager (https://business.facebook.com), then resume the stream, or restart";

/** The permissions that a token needs. Source: Instagram Platform, overview, read 2026-10. */
export const permissions: Readonly<Record<Login, readonly string[]>> = {
  facebook: [
    'instagram_basic',
    'instagram_manage_insights',
    'pages_show_list',
    'pages_read_engagement',
  ],
  instagram: ['instagram_business_basic', 'instagram_business_manage_insights'],
};

/**
 * The further permission to read comments, and media of others that tag the account. Source: IG
 * Media Comments and IG User Tags, read 2026-11.
 */
export const peoplePermission: Readonly<Record<Login, string>> = {
  facebook: 'instagram_manage_comments',
  instagram: 'instagram_business_manage_comments',
};

/** The further permission to list businesses and their pages. Source: Business, read 2026-11. */
const businessPermission = 'business_management';

/** The uses of a token that decide its permissions. */
export interface TokenUse {
  readonly login: Login;
  /** True when other people's content is read. */
  readonly readsPeople: boolean;
  readonly listsBusinesses: boolean;
  /** True when media are read by hashtags, which the app needs a feature for. */
  readonly readsHashtags?: boolean;
}

/** The permission without which Meta rejects insights of media alone. */
const insightsPermission: Readonly<Record<Login, string>> = {
  facebook: 'instagram_manage_insights',
  instagram: 'instagram_business_manage_insights',
};

/** Returns the permissions that a token needs. */
export function neededPermissions(use: TokenUse): readonly string[] {
  const { login, readsPeople, listsBusinesses } = use;
  return [
    ...permissions[login],
    ...(readsPeople ? [peoplePermission[login]] : []),
    ...(listsBusinesses ? [businessPermission] : []),
  ];
}

/**
 * Returns the advice for a missing permission, as the middle of a sentence.
 * @param ofMediaInsights - true when the token can list the media whose insights it may not read
 */
export function permissionAdvice(use: TokenUse, ofMediaInsights = false): string {
  const needed = ofMediaInsights ? [insightsPermission[use.login]] : neededPermissions(use);
  const feature =
    use.readsHashtags === true
      ? ', get the app the feature Instagram Public Content Access by App Review'
      : '';
  return `the token lacks a permission: give the app and the token ${needed.join(', ')}, and the token's user a role on the account${feature}`;
}
