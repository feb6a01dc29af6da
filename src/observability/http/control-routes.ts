import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Controls, ControlAction } from '../../engine/ports.ts';
import { type LeveledLog, type LogFields, logLevels } from '../log.ts';

/** The handler of control requests, and the log whose level they change. */
export interface ControlSources {
  readonly controls: Controls;
  readonly log: Pick<LeveledLog, 'error' | 'info' | 'level' | 'setLevel'>;
}

const controlPath = /^\/streams\/[^/]{1,100}\/accounts\/[^/]{1,100}\/(?:poll|pause|resume)$/;

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
function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

/** Adds the control routes; authorization is checked before. */
export function addControlRoutes(server: FastifyInstance, { controls, log }: ControlSources): void {
  const logExecuted = (fields: LogFields): void => {
    log.info(fields, 'control request executed');
  };
  // The handlers parse bodies themselves, so that no parser error repeats the received text.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body);
  });
  server.post<{ Params: { stream: string; account: string; action: ControlAction } }>(
    '/streams/:stream/accounts/:account/:action',
    async ({ params: { action, stream, account } }, reply) => {
      const answer = await controls.execute(action, stream, account);
      reply.code(statusOf[answer.kind]);
      if (answer.kind === 'accepted') {
        logExecuted({ request: action, stream, account });
        return await reply.send({ accepted: true });
      }
      const { reason: error } = answer;
      return await reply.send('owner' in answer ? { error, owner: answer.owner } : { error });
    },
  );
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
  accepted: 202,
  unknown: 404,
  conflict: 409,
  elsewhere: 409,
  unready: 503,
} as const;

function levelIn(body: unknown): string | undefined {
  try {
    const { level } = JSON.parse(String(body)) as { readonly level?: unknown };
    return logLevels.find((one) => one === level);
  } catch {
    // The body is not JSON, or is null.
    return undefined;
  }
}
