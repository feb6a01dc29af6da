import { choice, duration, integer, optional, text } from './formats.ts';
import { leaf } from './leaf.ts';
import {
  accountIds,
  apiUrl,
  apiVersion,
  exactUrl,
  pastDate,
  scopes,
  secret,
  tokens,
} from './named-formats.ts';

/** Where the Graph API is, how much is asked of it, and in whose name. */
export const instagram = {
  accessToken: leaf(
    'INSTAGRAM_ACCESS_TOKEN',
    tokens(),
    'The token that every request carries, or several, each for the accounts that it reaches. Better in a file than in the environment: a file is read again when it changes.',
  ),
  login: leaf(
    'INSTAGRAM_LOGIN',
    choice(['facebook', 'instagram']),
    'Which of the two logins gave the token: `facebook` finds the accounts through their pages, `instagram` reaches the one account of the token.',
  ),
  apiVersion: leaf(
    'INSTAGRAM_API_VERSION',
    apiVersion(),
    'The version of the Graph API in the path of every request. It decides the version that answers and their paging URLs name, not which metrics there are: Meta adds and removes those by date, on all versions at once.',
  ),
  baseUrl: leaf(
    'INSTAGRAM_BASE_URL',
    optional(apiUrl()),
    "Where the API is, without the version. Not set: the login's own host, `https://graph.facebook.com` or `https://graph.instagram.com`.",
  ),
  accounts: leaf(
    'INSTAGRAM_ACCOUNTS',
    accountIds(),
    'The only accounts to poll. Empty: all that the token reaches.',
  ),
  startDate: leaf(
    'INSTAGRAM_START_DATE',
    optional(pastDate()),
    'How far back the first poll of `user_insights` and of `user_daily_totals` goes, at most two years, as far as the API has data; what is older is cut off. It has no effect once there is a state. Not set: 30 days, where every metric has data.',
  ),
  requestTimeout: leaf(
    'INSTAGRAM_REQUEST_TIMEOUT',
    duration('100ms', '10m'),
    'How long one request may take.',
  ),
  maxConcurrentRequests: leaf(
    'INSTAGRAM_MAX_CONCURRENT_REQUESTS',
    integer(1, 100),
    'Requests in flight at once.',
  ),
  accountsRefresh: leaf(
    'INSTAGRAM_ACCOUNTS_REFRESH',
    duration('1s'),
    'How often the list of accounts is read again.',
  ),
  pageSize: leaf(
    'INSTAGRAM_PAGE_SIZE',
    integer(1, 100),
    'Entries asked for in one page of a list.',
  ),
  clientId: leaf(
    'INSTAGRAM_CLIENT_ID',
    optional(text('an app id of digits', /^\d{1,25}$/)),
    "The app's id at Meta; with Instagram Login that of its product Instagram. For `login`, and to learn of and renew the tokens of Facebook Login.",
  ),
  clientSecret: leaf(
    'INSTAGRAM_CLIENT_SECRET',
    optional(secret('an app secret without spaces', /^[\x21-\x7e]+$/)),
    "The app's secret. With it every request carries the proof (`appsecret_proof`) that the app itself asks, and tokens can be exchanged and renewed.",
  ),
  redirectUri: leaf(
    'INSTAGRAM_REDIRECT_URI',
    exactUrl(),
    "Where `login` is led back to; it must stand among the app's valid OAuth redirect URIs to the letter. `login` listens on its port when the host is `localhost` or `127.0.0.1`.",
  ),
  scope: leaf(
    'INSTAGRAM_SCOPE',
    scopes(),
    'The permissions that `login` asks for. Empty: those that the enabled streams need.',
  ),
};
