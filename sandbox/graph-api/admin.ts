import { isObject } from './json.ts';
import type { Json } from './json.ts';
import type { Ledger } from './ledger.ts';
import { describeLedger } from './ledger.ts';
import { truthOf } from './truth.ts';
import type { World } from './world/model.ts';

/** A request to the simulator itself, below `/_sandbox/`. */
export interface AdminRequest {
  readonly method: string;
  /** `ledger`, `truth`, `clock`, `health`. */
  readonly name: string;
  readonly body: string;
}

/** The simulator's own answer. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: Json;
}

/** Answers what tests and people ask of the simulator itself; no token is needed. */
export function answerAdmin(
  request: AdminRequest,
  { world, ledger }: { world: World; ledger: Ledger },
): AdminAnswer {
  switch (`${request.method} ${request.name}`) {
    case 'GET health':
      return { status: 200, body: { status: 'ok', accounts: world.accounts.length } };
    case 'GET ledger':
      return { status: 200, body: describeLedger(ledger) };
    case 'DELETE ledger':
      ledger.clear();
      return { status: 200, body: describeLedger(ledger) };
    case 'GET truth':
      return { status: 200, body: truthOf(world) };
    case 'GET clock':
      return { status: 200, body: clockOf(world) };
    case 'POST clock':
      return moveClock(request.body, world);
    default:
      return {
        status: 404,
        body: { error: 'expected GET health, ledger, truth or clock; DELETE ledger; POST clock' },
      };
  }
}

function clockOf(world: World): Json {
  return { now: new Date(world.clock.now()).toISOString() };
}

/** Takes `{"advance_ms": 3600000}` or `{"now": "2026-03-08T12:00:00Z"}`. */
function moveClock(text: string, world: World): AdminAnswer {
  const asked: unknown = parse(text);
  const advanceMs = isObject(asked) ? asked['advance_ms'] : undefined;
  const now = isObject(asked) && typeof asked['now'] === 'string' ? Date.parse(asked['now']) : NaN;
  if (typeof advanceMs === 'number') {
    world.clock.advance(advanceMs);
  } else if (!Number.isNaN(now)) {
    world.clock.set(now);
  } else {
    return { status: 400, body: { error: 'expected {"advance_ms": number} or {"now": "<ISO>"}' } };
  }
  return { status: 200, body: clockOf(world) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
