import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Json, describeJson, isNode } from '../../engine/json.ts';
import type { ControlAction, ControlAnswer, ControlRequest, Controls } from '../../engine/ports.ts';
import { type LeveledLog, type LogFields, logLevels } from '../log.ts';

/** The handler of control requests, and the log whose level they change. */
export interface ControlSources {
  readonly controls: Controls;
  readonly nowMs: () => number;
  readonly log: Pick<LeveledLog, 'error' | 'info' | 'level' | 'setLevel'>;
}

/** The routes of control requests: one stream of an account, all of them, or all accounts. */
const controlUrls = [
  '/streams/:stream/accounts/:account/:action',
  '/accounts/:account/:action',
  '/streams/:stream/:action',
];
const controlPath =
  /^\/(?:streams\/[^/]{1,100}|(?:streams\/[^/]{1,100}\/)?accounts\/[^/]{1,100})\/(?:poll|pause|resume)$/;

/** The HTTP methods of a control path; undefined for other paths. */
export function controlMethods(path: string): readonly string[] | undefined {
  if (controlPath.test(path)) return ['POST'];
  return path === '/log-level' ? ['GET', 'HEAD', 'PUT', 'POST'] : undefined;
}

/** Rejects a control request without the current token; null disables the control API. */
export async function authorize(
  request: FastifyRequest,
  reply: FastifyReply,
  token: (() => string) | null,
): Promise<void> {
  if (token === null) {
    const error = 'the control API is off: set HTTP_TOKEN, or HTTP_TOKEN_FILE, and restart';
    await reply.code(403).send({ error });
    return;
  }
  const carried = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (isSame(carried, token())) return;
  const error = 'expected the header Authorization: Bearer, with HTTP_TOKEN';
  await reply.code(401).header('WWW-Authenticate', 'Bearer').send({ error });
}

/** Compares in a time that depends neither on the first difference nor on the lengths. */
export function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

interface ControlParams {
  readonly stream?: string;
  readonly account?: string;
  readonly action: ControlAction;
}

/** Adds the control routes; authorization is checked before. */
export function addControlRoutes(server: FastifyInstance, sources: ControlSources): void {
  const { controls, log, nowMs } = sources;
  const logExecuted = (fields: LogFields): void => {
    log.info(fields, 'control request executed');
  };
  // The handlers parse bodies themselves, so that no parser error repeats the received text.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body);
  });
  const control = async (
    { body, params }: FastifyRequest<{ Params: ControlParams }>,
    reply: FastifyReply,
  ) => {
    const { action, stream = null, account: accountId = null } = params;
    const end = action === 'pause' ? readPauseEnd(body, nowMs()) : { untilMs: null };
    if ('error' in end) return await reply.code(400).send(end);
    const request: ControlRequest = { action, stream, accountId, ...end };
    const answer = await controls.execute(request);
    if (answer.kind === 'accepted') {
      const outcome = outcomeOf(request, answer);
      const { untilMs } = end;
      const until = untilMs === null ? {} : { until: new Date(untilMs).toISOString() };
      logExecuted({ request: action, stream, account: accountId, ...until, ...outcome });
      return await reply.code(202).send({ accepted: true, ...outcome });
    }
    const { reason: error } = answer;
    reply.code(statusOf[answer.kind]);
    return await reply.send('owner' in answer ? { error, owner: answer.owner } : { error });
  };
  for (const url of controlUrls) server.post<{ Params: ControlParams }>(url, control);
  server.get('/log-level', () => ({ level: log.level() }));
  server.route({
    method: ['PUT', 'POST'],
    url: '/log-level',
    handler: (request, reply) => {
      const level = levelIn(request.body);
      if (level === undefined) {
        const error = `expected {"level": "…"} with one of ${logLevels.join(', ')}`;
        return reply.code(400).send({ error });
      }
      log.setLevel(level);
      logExecuted({ request: 'log-level', to: level });
      return reply.send({ level });
    },
  });
}

const statusOf = {
  unknown: 404,
  conflict: 409,
  elsewhere: 409,
  unready: 503,
} as const;

/** Returns the outcome of an accepted request: the members that apply to its kind. */
function outcomeOf(
  { stream, accountId }: ControlRequest,
  { count, saved, elsewhere }: Extract<ControlAnswer, { kind: 'accepted' }>,
) {
  return {
    ...(stream === null && { streams: count }),
    ...(accountId === null && { accounts: count }),
    ...(saved !== null && { saved }),
    ...(accountId === null && { elsewhere }),
  };
}

/** The longest pause with an end; a longer one is likely a slip of the year. */
const longestPauseMs = 366 * 86_400_000;
const endPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;
const expectedEnd = 'expected a time with its offset, such as "2026-12-01T08:00:00Z"';

/** Reads the body of a pause: none, or `{"until": …}` with the time at which it ends. */
function readPauseEnd(
  body: unknown,
  nowMs: number,
): { readonly untilMs: number | null } | { readonly error: string } {
  const json = jsonIn(body);
  if (json === null) return { untilMs: null };
  if (!isNode(json)) {
    const got = json === undefined ? 'text that is not JSON' : `a ${describeJson(json)}`;
    return { error: `body: got ${got}; expected none, or {"until": "2026-12-01T08:00:00Z"}` };
  }
  const other = Object.keys(json).find((name) => name !== 'until');
  if (other !== undefined) {
    return { error: `body: got the member ${shown(other)}; expected "until" alone` };
  }
  const { until = null } = json;
  if (until === null) return { untilMs: null };
  const untilMs = timeIn(until);
  if (untilMs === undefined) return { error: `until: got ${shown(until)}; ${expectedEnd}` };
  const isNear = untilMs > nowMs && untilMs <= nowMs + longestPauseMs;
  if (isNear) return { untilMs };
  const now = new Date(nowMs).toISOString();
  return {
    error: `until: got ${shown(until)}; expected a time after now, ${now}, and at most 366 days later`,
  };
}

/** Parses a body; null for none, undefined when it is not JSON. */
function jsonIn(body: unknown): Json | undefined {
  try {
    return typeof body === 'string' && body !== '' ? (JSON.parse(body) as Json) : null;
  } catch {
    return undefined;
  }
}

function timeIn(value: Json): number | undefined {
  if (typeof value !== 'string' || !endPattern.test(value)) return undefined;
  const day = value.slice(0, 10);
  const dayMs = Date.parse(`${day}T00:00:00Z`);
  // Date.parse accepts 31 February as a day of March, which formats back differently.
  const isDay = !Number.isNaN(dayMs) && new Date(dayMs).toISOString().startsWith(day);
  const ms = Date.parse(value);
  return isDay && !Number.isNaN(ms) ? ms : undefined;
}

/** Formats a received value for an error, shortened. */
function shown(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function levelIn(body: unknown): string | undefined {
  try {
    const { level } = JSON.parse(String(body)) as { readonly level?: unknown };
    return logLevels.find((one) => one === level);
  } catch {
    // The body is not JSON, or is null.
    return undefined;
  }
}
