import { isNode, type Json, type Node } from '../../engine/json.ts';
import type { OauthToken } from '../options.ts';

/** A token and the time from its request to its end. */
export interface IssuedToken {
  readonly value: string;
  readonly lifeMs: number;
}

export interface TokenSource {
  /** @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthenticated` */
  readonly request: () => Promise<IssuedToken>;
  readonly extensions: Readonly<Record<string, string>>;
  /** Called with each token before its first use, so that logs can redact it. */
  readonly onToken: (token: string) => void;
}

/** The tokens of all connections; each is used for four fifths of its lifetime. */
export type OauthTokens = ReturnType<typeof createOauthTokens>;

const usedFraction = 0.8;

/** Creates the tokens; the first is requested on demand. */
export function createOauthTokens(
  source: TokenSource,
  nowMs: () => number = () => performance.now(),
) {
  let cached: { readonly token: OauthToken; readonly untilMs: number } | undefined;
  let pending: Promise<OauthToken> | undefined;
  const renew = async (): Promise<OauthToken> => {
    const sentMs = nowMs();
    const { value, lifeMs } = await source.request();
    source.onToken(value);
    const token = { value, extensions: source.extensions };
    cached = { token, untilMs: sentMs + lifeMs * usedFraction };
    return token;
  };
  return {
    /** @throws as `request` */
    async token(): Promise<OauthToken> {
      if (cached !== undefined && nowMs() < cached.untilMs) return cached.token;
      pending ??= renew()
        .catch((error: unknown) => {
          // kafkajs would repeat the request several times at once.
          throw Object.assign(error as Error, { retriable: false });
        })
        .finally(() => {
          pending = undefined;
        });
      return pending;
    },
    /** Returns the subject of the last token; undefined unless it is a JWT with a subject. */
    subject(): string | undefined {
      const payload = cached?.token.value.split('.')[1] ?? '';
      const subject = parseObject(Buffer.from(payload, 'base64url').toString('utf8'))['sub'];
      return typeof subject === 'string' ? subject : undefined;
    },
  };
}

/** Parses a JSON object; returns an empty one for any other text. */
export function parseObject(text: string): Node {
  try {
    const json = JSON.parse(text) as Json;
    return isNode(json) ? json : {};
  } catch {
    return {};
  }
}
