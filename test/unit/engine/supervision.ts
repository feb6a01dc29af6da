import type { Account } from '../../../src/engine/account.ts';
import type { Node } from '../../../src/engine/json.ts';
import { id, required } from '../../../src/instagram/model/fields.ts';
import { recordOf } from '../../../src/instagram/model/decode.ts';
import { declareStream } from '../../../src/instagram/streams/stream.ts';
import type {
  AccountDirectory,
  ControlAction,
  ControlRequest,
  Restored,
} from '../../../src/engine/ports.ts';
import { createControlHandler } from '../../../src/engine/control-handler.ts';
import { createOverrides } from '../../../src/engine/overrides.ts';
import { supervise, type Supervision } from '../../../src/engine/supervisor.ts';
import { type Answer, type FakeGraph, createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { createFakeGroup, createFakeStore } from '../../support/fake-group.ts';
import { account } from '../../support/accounts.ts';
import { hourMs, posts, type World } from './world.ts';
import { usualShutdown } from '../../support/shutdown.ts';

/** A second stream beside the posts: one request, one node. */
export const profile = declareStream({
  name: 'users',
  interval: '1h',
  priority: 'normal',
  isCompacted: false,
  readsPeople: false,
  mode: 'full',
  doc: 'A profile.',
  key: ['id'],
  request: { kind: 'object', fields: { id: required(id) } },
  toRecord: recordOf({ id: required(id) }),
});

/** What a test changes; `restored` is what the state topic holds. */
export type Changes = Partial<Supervision> & {
  readonly restored?: ReadonlyMap<string, Restored>;
};

/** Both streams of one account, every hour, without jitter. */
export function supervisionOf({ restored, ...changes }: Changes = {}): Supervision {
  return {
    streams: [
      { stream: posts, intervalMs: hourMs },
      { stream: profile, intervalMs: hourMs },
    ],
    directory: directoryOf([account]),
    group: createFakeGroup(),
    store: createFakeStore(restored),
    accountsRefreshMs: 24 * hourMs,
    watch: () => Promise.resolve(),
    jitter: 0,
    overrides: createOverrides({ report: () => undefined }),
    controlHandler: createControlHandler(),
    shutdown: usualShutdown,
    ...changes,
  };
}

/** A control request for the media of the account, but for `changes`. */
export function requestOf(
  action: ControlAction,
  changes: Partial<ControlRequest> = {},
): ControlRequest {
  return { action, stream: 'media', accountId: account.id, untilMs: null, ...changes };
}

/** The program's polls under way, every hour, and its control handler. */
export function controlled(world: World, changes: Changes = {}) {
  const controlHandler = createControlHandler();
  const overrides = createOverrides(world.telemetry);
  const stop = new AbortController();
  const ended = supervise(
    supervisionOf({ controlHandler, overrides, ...changes }),
    world,
    stop.signal,
  );
  return {
    overrides,
    execute: (action: ControlAction, request: Partial<ControlRequest> = {}) =>
      controlHandler.execute(requestOf(action, request)),
    async stop() {
      stop.abort(new Error('stopping'));
      await ended;
    },
  };
}

/** A directory whose tokens a test may renew. */
export interface FakeDirectory extends AccountDirectory {
  renew(): void;
}

/** A directory that returns one list after another, and then the last one. */
export function directoryOf(...lists: readonly (readonly Account[] | Error)[]): FakeDirectory {
  const left = [...lists];
  let renewal = Promise.withResolvers<undefined>();
  return {
    renew() {
      renewal.resolve(undefined);
      renewal = Promise.withResolvers();
    },
    renewed: () => renewal.promise,
    list() {
      const given = (left.length > 1 ? left.shift() : left[0]) ?? [];
      return given instanceof Error
        ? Promise.reject(given)
        : Promise.resolve({ accounts: given, problems: [], warnings: [] });
    },
  };
}

/** A graph in which some paths fail or wait; the others have one post and one profile. */
export function graphWith(
  answers: Readonly<Record<string, () => Answer | Promise<Answer>>> = {},
): FakeGraph {
  return createFakeGraph(({ path, query }): Answer | Promise<Answer> => {
    const node: Node = { id: '1' };
    const ids = query['ids']?.split(',') ?? [];
    if (path === '/') return answers[path]?.() ?? Object.fromEntries(ids.map((id) => [id, { id }]));
    return answers[path]?.() ?? (path.endsWith('/media') ? pageOf([node]) : node);
  });
}

/** The number of requests by path. */
export function countsOf(graph: FakeGraph): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { path } of graph.requests) counts[path] = (counts[path] ?? 0) + 1;
  return counts;
}
