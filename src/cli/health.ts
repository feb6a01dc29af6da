import { option, type CommandDefinition, type Given } from './command.ts';

/** `health`: for a container's HEALTHCHECK, which knows 0 and 1 only. */
export const healthCommand: CommandDefinition = {
  usage: 'health',
  about: 'ask a running instance whether it lives (for a container HEALTHCHECK)',
  examples: ['health', 'health --url http://127.0.0.1:8080/readyz', 'health --json'],
  exits: { 0: 'it answered 200', 1: 'it did not, or not in time', 2: 'bad usage' },
  options: [
    option('--url <url>', 'what to ask').default(
      `http://127.0.0.1:${process.env['HTTP_PORT'] ?? '8080'}/livez`,
    ),
    option('--json', 'print a JSON object with "ok" and "detail"'),
  ],
  settings: null,
  async run({ options: { url, json } }: Given<{ readonly url: string }>) {
    const check = await checkHealth(url, 3000);
    process.stdout.write(json === true ? `${JSON.stringify(check)}\n` : `${check.detail}\n`);
    return check.ok ? 0 : 1;
  },
};

/** What a health check found. */
export interface HealthCheck {
  /** Whether the answer was 200, in time. */
  readonly ok: boolean;
  /** The answer's status and body, or why there was none; one line, for a person. */
  readonly detail: string;
}

const longestShown = 500;

/**
 * Asks `url` once, for a container's health check. Never throws.
 *
 * @param url - as `http://127.0.0.1:8080/livez`
 * @param timeoutMs - for the whole answer
 */
export async function checkHealth(url: string, timeoutMs: number): Promise<HealthCheck> {
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = (await response.text()).replaceAll(/\s+/g, ' ').slice(0, longestShown);
    return { ok: response.status === 200, detail: `${url} answered ${response.status}: ${body}` };
  } catch (error) {
    return { ok: false, detail: `${url} did not answer: ${describeFailure(error, timeoutMs)}` };
  }
}

function describeFailure(error: unknown, timeoutMs: number): string {
  if (!isError(error)) return 'unknown trouble';
  if (error.name === 'TimeoutError') return `nothing within ${timeoutMs} ms`;
  // fetch says only "fetch failed"; the cause knows why, and an AggregateError only by its code.
  const { cause } = error;
  if (!isError(cause)) return error.message;
  if (cause.message === 'bad port') return 'nobody may ask this port by HTTP; is it HTTP_PORT?';
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}

/** The timeout is a DOMException; errors of Node's own may come from another realm. */
function isError(value: unknown): value is Error {
  return (
    value instanceof DOMException || Object.prototype.toString.call(value) === '[object Error]'
  );
}
