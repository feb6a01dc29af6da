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

/** The scope of the account that asks unless a test says otherwise. */
export const own: Scope = { kind: 'account', id: account.id };
/** The scope of the app. */
export const app: Scope = { kind: 'app', id: '' };

/** A turn that nobody else wants. */
export const idle: Permit = { yieldWhile: (wait) => wait };

interface Asked {
  readonly name: string;
  readonly answer: (with_?: Node | Error) => Promise<void>;
}

/** A governed API whose answers are given by the test, in any order. */
export function office({ maxConcurrentRequests = 100 } = {}) {
  const clock = createManualClock(startMs);
  const telemetry = createRecordingTelemetry();
  const rateLimiter = new RateLimiter({ clock, telemetry, maxConcurrentRequests });
  const asked: Asked[] = [];
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
      asked.push({
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
  const ask = (name: string, changes: Partial<Asking> = {}) => {
    const asking = { ...usual, ...changes };
    const request = requestOf(name, asking.account?.id ?? null);
    const caller = { ...asking, account: asking.account ?? account };
    const answered = rateLimiter.limit(graph, caller).get(request, asking.signal);
    answered.catch(() => undefined);
    return answered;
  };
  return {
    clock,
    telemetry,
    rateLimiter,
    graph,
    ask,
    asked,
    names: () => asked.map(({ name }) => name),
    answer: async (index: number, given?: Node | Error) => {
      await settle();
      await asked[index]?.answer(given);
    },
    tell: (scope: Scope, percent: number, regainMs = 0) => {
      rateLimiter.onUsage({ scope, percent, regainMs });
    },
  };
}

interface Asking {
  readonly account: Account | null;
  readonly priority: Priority;
  readonly permit: Permit;
  readonly signal: AbortSignal;
}

const usual: Asking = { account, priority: 'normal', permit: idle, signal: calm };

/** A request that is told by its name. */
export function requestOf(name: string, accountId: string | null): GraphRequest {
  return { endpoint: name, path: '/', query: {}, accountId };
}

/** An office in which one call was answered, and the account's usage told. */
export async function usedOffice(percent: number, answers = 1) {
  const made = office();
  void made.ask('first', { priority: 'backfill' });
  await made.answer(0);
  // Each call costs half a percent.
  for (let at = percent - answers * 0.5; at <= percent; at += 0.5) made.tell(own, at);
  made.asked.length = 0;
  return made;
}

/** A limit that is met. */
export const limit = (scope: Scope, retryAfterMs: number) =>
  new WaitError('graph.rate-limited', 'too many calls', { scope, retryAfterMs });
