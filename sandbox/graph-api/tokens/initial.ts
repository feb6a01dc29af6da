import type { Account, Page } from '../world/model.ts';
import type { Grant } from './store.ts';

const DAY_MS = 86_400_000;
/** How long before the world's start its tokens were made: more than the day before a refresh. */
const AGE_MS = 7 * DAY_MS;

/** The tokens that a world starts with; they do not expire unless they are told to. */
export function initialGrants({ token, pages, accounts, startMs }: Starting): Map<string, Grant> {
  const grant = (owner: Grant['owner']): Grant => ({
    owner,
    issuedAtMs: startMs - AGE_MS,
    expiresAtMs: null,
    shortLived: false,
  });
  return new Map([
    [token, grant({ kind: 'user' })],
    ...pages.map((page) => [page.token, grant({ kind: 'page', pageId: page.id })] as const),
    ...accounts.map(
      ({ id, instagramToken }) =>
        [instagramToken, grant({ kind: 'account', accountId: id })] as const,
    ),
  ]);
}

interface Starting {
  readonly token: string;
  readonly pages: readonly Page[];
  readonly accounts: readonly Account[];
  readonly startMs: number;
}
