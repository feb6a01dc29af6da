import { Option } from 'commander';
import type { CommandDefinition, Invocation } from './command.ts';

/** For a container's HEALTHCHECK: uses 0 and 1; 2 only for a wrong command line. */
export const healthCommand: CommandDefinition = {
  usage: 'health',
  about: 'check whether a running instance is alive (for a container HEALTHCHECK)',
  examples: ['health', 'health --url http://127.0.0.1:8080/readyz', 'health --json'],
  exits: { 0: 'it answered 200', 1: 'it did not answer 200 in time', 2: 'bad usage' },
  options: [
    new Option('--url <url>', 'the URL to request.').default(
      `http://127.0.0.1:${process.env['HTTP_PORT'] ?? '8080'}/livez`,
    ),
    ['--json', 'print a JSON object with "ok" and "detail"'],
  ],
  isInstant: true,
  settings: null,
  async run({ options: { url, json } }: Invocation<{ readonly url: string }>) {
    const check = await checkHealth(url, 3000);
    process.stdout.write(json === true ? `${JSON.stringify(check)}\n` : `${check.detail}\n`);
    return check.ok ? 0 : 1;
  },
};

const longestShown = 500;

/** Requests a URL once; `detail` is one line, for a person. Never throws. */
export async function checkHealth(url: string, timeoutMs: number) {
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

/** Describes why a request had no response, for a person. */
export function describeFailure(error: unknown, timeoutMs: number): string {
  if (!isError(error)) return 'unknown error';
  if (error.name === 'TimeoutError') return `nothing within ${timeoutMs} ms`;
  // fetch reports only "fetch failed"; the cause has the reason, and an AggregateError only a code.
  const { cause } = error;
  if (!isError(cause)) return error.message;
  if (cause.message === 'bad port') return 'HTTP clients do not use this port; check HTTP_PORT';
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}

/** The timeout is a DOMException; errors of Node's own may come from another realm. */
function isError(value: unknown): value is Error {
  return (
    value instanceof DOMException || Object.prototype.toString.call(value) === '[object Error]'
  );
}
