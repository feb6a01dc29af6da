import type { Account } from '../../../../src/engine/account.ts';
import { type Scope, WaitError } from '../../../../src/engine/errors.ts';
import type { Node } from '../../../../src/engine/json.ts';
import type { Priority } from '../../../../src/engine/rate-limit/quota.ts';
import { RateLimiter } from '../../../../src/engine/rate-limit/rate-limiter.ts';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import type { Permit } from '../../../../src/engine/rate-limit/semaphore.ts';
import { account } from '../../../support/accounts.ts';
import { createManualClock, settle } from '../../../support/manual-clock.ts';
import { createRecordingTelemetry } from '../../../support/recording-telemetry.ts';
import { calm, startMs } from '../world.ts';

/** The scope of the account that sends the requests by default. */
export const own: Scope = { kind: 'account', id: account.id };
/** The scope of the app. */
export const app: Scope = { kind: 'app', id: '' };

/** A permit without other callers. */
export const idle: Permit = { yieldWhile: (wait) => wait };

interface SentRequest {
  readonly name: string;
  readonly answer: (with_?: Node | Error) => Promise<void>;
}

/** A rate limiter over an API whose requests the test answers, in any order. */
export function setUpLimiter({ maxConcurrentRequests = 100 } = {}) {
  const clock = createManualClock(startMs);
  const telemetry = createRecordingTelemetry();
  const rateLimiter = new RateLimiter({ clock, telemetry, maxConcurrentRequests });
  const sentRequests: SentRequest[] = [];
  const graph = {
    batchSize: 50,
    answeredBy: null,
    clockAheadMs: null,
    getBatch: () => Promise.resolve([]),
    get(request: GraphRequest, signal: AbortSignal) {
      const { promise, resolve, reject } = Promise.withResolvers<Node>();
      signal.addEventListener('abort', () => {
        reject(signal.reason);
      });
      sentRequests.push({
        name: request.endpoint,
        answer: async (given = {}) => {
          if (given instanceof Error) reject(given);
          else resolve(given);
          await settle();
        },
      });
      return promise;
    },
  };
  const send = (name: string, changes: Partial<Caller> = {}) => {
    const sending = { ...usual, ...changes };
    const request = requestOf(name, sending.account?.id ?? null);
    const caller = { ...sending, account: sending.account ?? account };
    const answered = rateLimiter.limit(graph, caller).get(request, sending.signal);
    answered.catch(() => undefined);
    return answered;
  };
  return {
    clock,
    telemetry,
    rateLimiter,
    graph,
    send,
    sentRequests,
    names: () => sentRequests.map(({ name }) => name),
    answer: async (index: number, given?: Node | Error) => {
      await settle();
      await sentRequests[index]?.answer(given);
    },
    reportUsage: (scope: Scope, percent: number, regainMs = 0) => {
      rateLimiter.onUsage({ scope, percent, regainMs });
    },
  };
}

interface Caller {
  readonly account: Account | null;
  readonly priority: Priority;
  readonly permit: Permit;
  readonly signal: AbortSignal;
}

const usual: Caller = { account, priority: 'normal', permit: idle, signal: calm };

/** A request that a test identifies by its name. */
export function requestOf(name: string, accountId: string | null): GraphRequest {
  return { endpoint: name, path: '/', query: {}, accountId };
}

/** A rate limiter after one answered call and reports of the account's usage. */
export async function setUpUsedLimiter(percent: number, answers = 1) {
  const made = setUpLimiter();
  void made.send('first', { priority: 'backfill' });
  await made.answer(0);
  // Each call costs half a percent.
  for (let at = percent - answers * 0.5; at <= percent; at += 0.5) made.reportUsage(own, at);
  made.sentRequests.length = 0;
  return made;
}

/** The error of a rate limit. */
export const limit = (scope: Scope, retryAfterMs: number) =>
  new WaitError('graph.rate-limited', 'too many calls', { scope, retryAfterMs });
