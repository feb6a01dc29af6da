import { describeWorld, patchWorld, resetWorld } from './admin-world.ts';
import { readFaultRule } from './fault-rules.ts';
import { type Faults, describeFaults } from './faults.ts';
import { isObject, parseJson, type Json } from './json.ts';
import { type Ledger, describeLedger } from './ledger.ts';
import type { Meter } from './meter.ts';
import { ShapeError } from './shape.ts';
import { truthOf } from './truth.ts';
import { readOrder, readSettings } from './webhooks/settings.ts';
import type { Webhooks } from './webhooks/webhooks.ts';
import type { World } from './world/model.ts';

/** A request to the simulator itself, below `/_sandbox/`. */
export interface AdminRequest {
  readonly method: string;
  /** `ledger`, `truth`, `clock`, `health`, `world`, `faults`, `webhooks`; empty for the list of all. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

/** The simulator's own answer. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: Json;
}

/** The parts of the simulator that the admin API reads and changes. */
export interface AdminState {
  readonly world: World;
  readonly ledger: Ledger;
  readonly faults: Faults;
  readonly meter: Meter;
  readonly webhooks: Webhooks;
}

type Handler = (state: AdminState, request: AdminRequest) => Json;

const HANDLERS: Readonly<Record<string, Handler>> = {
  'GET health': ({ world }) => ({ status: 'ok', accounts: world.accounts.length }),
  'GET ledger': ({ ledger }) => describeLedger(ledger),
  'DELETE ledger': ({ ledger }) => {
    ledger.clear();
    return describeLedger(ledger);
  },
  'GET truth': ({ world }, { query }) =>
    truthOf(world, {
      comments: query.has('comments'),
      foreign: query.has('foreign'),
      totals: query.has('totals'),
    }),
  'GET clock': ({ world }) => clockOf(world),
  'POST clock': ({ world }, { body }) => moveClock(body, world),
  'GET world': ({ world }) => describeWorld(world),
  'PATCH world': ({ world }, { body }) => {
    patchWorld(parseJson(body), world);
    return describeWorld(world);
  },
  'DELETE world': ({ world, meter }) => {
    resetWorld(world);
    meter.clear();
    return describeWorld(world);
  },
  'GET faults': ({ faults }) => describeFaults(faults),
  'POST faults': ({ faults }, { body }) => {
    const sent: unknown = parseJson(body);
    const rules = (Array.isArray(sent) ? sent : [sent]).map((one) => readFaultRule(one));
    for (const rule of rules) faults.add(rule);
    return describeFaults(faults);
  },
  'DELETE faults': ({ faults }) => {
    faults.clear();
    return describeFaults(faults);
  },
  'GET webhooks': ({ webhooks }) => webhooks.describe(),
  'PATCH webhooks': ({ webhooks }, { body }) => {
    webhooks.configure(readSettings(parseJson(body)));
    return webhooks.describe();
  },
  'POST webhooks': ({ webhooks }, { body }) => {
    webhooks.send(readOrder(parseJson(body)));
    return webhooks.describe();
  },
  'DELETE webhooks': ({ webhooks }) => {
    webhooks.reset();
    return webhooks.describe();
  },
};

/** Descriptions of the admin endpoints. */
const ENDPOINTS: readonly (readonly [string, string])[] = [
  ['GET health', 'whether it answers'],
  ['GET ledger', 'the requests so far; HTTP requests and calls by endpoint'],
  ['DELETE ledger', 'counts from zero again'],
  [
    'GET truth',
    'what every record must be; ?comments, ?foreign (media of other users) and ?totals add theirs',
  ],
  [
    'GET clock',
    'the time of the world, and how many of its seconds pass in one; 0: it stands still',
  ],
  ['POST clock', 'moves it: {"advance_ms": 3600000} or {"now": "2026-03-08T12:00:00Z"}'],
  ['GET world', 'accounts, conditions, limits and the app'],
  ['PATCH world', 'changes them: {"refusedMetrics": {…}, "limits": {…}, "tokens": {…}}'],
  [
    'DELETE world',
    'takes back all of that: no conditions and limits, the app and the tokens as at the start',
  ],
  ['GET faults', 'the rules of faults and what became of them'],
  [
    'POST faults',
    'adds one: {"match": {"endpoint": "/{account}/media"}, "times": 1, "effect": {"error": "retry-later"}}',
  ],
  ['DELETE faults', 'takes all rules away'],
  ['GET webhooks', "the settings of the app's webhooks, the subscriptions, and the deliveries"],
  ['PATCH webhooks', 'changes the settings: {"callbackUrl": "http://…", "verifyToken": "…"}'],
  [
    'POST webhooks',
    'sends: {"since": "<ISO>"}, {"again": true} or {"changes": [{"account", "field", "value"}]}',
  ],
  ['DELETE webhooks', 'no address, no subscriptions, no deliveries'],
];

/** Answers a request to the simulator itself, from a test or a person; it needs no token. */
export function answerAdmin(request: AdminRequest, state: AdminState): AdminAnswer {
  if (request.name === '') return { status: 200, body: describeEndpoints() };
  const handler = HANDLERS[`${request.method} ${request.name}`];
  if (handler === undefined) {
    return { status: 404, body: { error: `expected ${Object.keys(HANDLERS).join(', ')}` } };
  }
  try {
    return { status: 200, body: handler(state, request) };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return { status: 400, body: { error: error.message } };
  }
}

function describeEndpoints(): Json {
  return Object.fromEntries(
    ENDPOINTS.map(([call, does]) => [call.replace(' ', ' /_sandbox/'), does]),
  );
}

function clockOf(world: World): Json {
  return { now: new Date(world.clock.now()).toISOString(), speed: world.clock.speed };
}

/** Parses `{"advance_ms": 3600000}` or `{"now": "2026-03-08T12:00:00Z"}` and moves the clock. */
function moveClock(text: string, world: World): Json {
  const body: unknown = parseJson(text);
  const advanceMs = isObject(body) ? body['advance_ms'] : undefined;
  const now = isObject(body) && typeof body['now'] === 'string' ? Date.parse(body['now']) : NaN;
  if (typeof advanceMs === 'number') {
    world.clock.advance(advanceMs);
  } else if (!Number.isNaN(now)) {
    world.clock.set(now);
  } else {
    throw new ShapeError('body', body, '{"advance_ms": number} or {"now": "<ISO>"}');
  }
  return clockOf(world);
}
