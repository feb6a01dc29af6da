import type { Account, Page } from '../world/model.ts';
import type { Grant } from './store.ts';

const DAY_MS = 86_400_000;
/** Age of the tokens at the world's start: more than the day before a refresh. */
const AGE_MS = 7 * DAY_MS;

/** Returns the initial tokens of a world; they do not expire unless a test sets an end. */
export function initialGrants({
  token,
  pages,
  accounts,
  startMs,
}: InitialWorld): Map<string, Grant> {
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

interface InitialWorld {
  readonly token: string;
  readonly pages: readonly Page[];
  readonly accounts: readonly Account[];
  readonly startMs: number;
}
