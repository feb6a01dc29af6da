import { describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { listenForStop } from '../../../src/cli/stop-signals.ts';

const module = new URL('../../../src/cli/stop-signals.ts', import.meta.url).href;

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Listener extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Waits for that text; returns the whole output. */
  output(text: string): Promise<string>;
  readonly ended: Promise<End>;
}

/**
 * A process that listens for stop signals and prints `ready`, then `aborted: <reason>`, and then runs
 * `afterwards`; it runs until it is stopped.
 */
async function startListener(graceMs: number, afterwards = ''): Promise<Listener> {
  const script = `
    import { listenForStop } from '${module}';
    const alive = setInterval(() => undefined, 1000);
    const stop = listenForStop(${graceMs});
    stop.signal.addEventListener('abort', () => {
      console.log('aborted: ' + stop.signal.reason.message);
      ${afterwards}
    });
    console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close').then(() => {
    return { code: child.exitCode, signal: child.signalCode };
  });
  let text = '';
  const printed = new EventEmitter();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      text += String(data);
      printed.emit('more');
    });
  }
  const output = async (part: string) => {
    while (!text.includes(part)) await once(printed, 'more');
    return text;
  };
  await output('ready');
  return {
    child,
    output,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const longGraceMs = 60_000;

describe('listenForStop', () => {
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    test(`aborts at the first ${name} and lets the process exit by itself`, async () => {
      await using listener = await startListener(longGraceMs, 'clearInterval(alive);');

      listener.child.kill(name);

      expect(await listener.output('aborted')).toContain(`aborted: stopped by ${name}`);
      // The grace period keeps nothing alive.
      expect(await listener.ended).toEqual({ code: 0, signal: null });
    });
  }

  for (const [name, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    test(`exits at once with ${code} at the second signal, ${name}`, async () => {
      await using listener = await startListener(longGraceMs);
      listener.child.kill('SIGTERM');
      await listener.output('aborted');

      listener.child.kill(name);

      expect(await listener.ended).toEqual({ code, signal: null });
    });
  }

  test('exits with 1 and the reason at the end of the grace period', async () => {
    await using listener = await startListener(20);

    listener.child.kill('SIGTERM');

    expect(await listener.output('forced')).toContain('POLLING_SHUTDOWN_GRACE (20 ms)');
    expect(await listener.ended).toEqual({ code: 1, signal: null });
  });

  test("exits with the process's own exit code when a forgotten handle keeps the process alive", async () => {
    await using listener = await startListener(
      200,
      'stop[Symbol.dispose](); process.exitCode = 3;',
    );

    listener.child.kill('SIGTERM');

    expect(await listener.ended).toEqual({ code: 3, signal: null });
  });

  test('releases the signals when it is disposed', async () => {
    await using listener = await startListener(
      longGraceMs,
      // Node gives a signal back to the system only after the turn in which its last listener went.
      "stop[Symbol.dispose](); setTimeout(() => console.log('disposed'), 10);",
    );
    listener.child.kill('SIGTERM');
    await listener.output('disposed');

    listener.child.kill('SIGTERM');

    expect(await listener.ended).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('adds and removes one listener for each signal', () => {
    const count = () => [process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')];
    const [terms = 0, ints = 0] = count();

    const stop = listenForStop(longGraceMs);
    expect(count()).toEqual([terms + 1, ints + 1]);
    expect(stop.signal.aborted).toBe(false);
    stop[Symbol.dispose]();

    expect(count()).toEqual([terms, ints]);
  });
});
