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
  /** Waits until the process has said that; gives all that it has said. */
  heard(text: string): Promise<string>;
  readonly ended: Promise<End>;
}

/**
 * A process that listens for stops and says `ready`, then `aborted: <reason>`, and then does what
 * `afterwards` says; it lives until something ends it.
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
  let output = '';
  const said = new EventEmitter();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += String(data);
      said.emit('more');
    });
  }
  const heard = async (text: string) => {
    while (!output.includes(text)) await once(said, 'more');
    return output;
  };
  await heard('ready');
  return {
    child,
    heard,
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
    test(`aborts and lets the process end by itself when the first signal is ${name}`, async () => {
      await using listener = await startListener(longGraceMs, 'clearInterval(alive);');

      listener.child.kill(name);

      expect(await listener.heard('aborted')).toContain(`aborted: stopped by ${name}`);
      // The grace period keeps nothing alive.
      expect(await listener.ended).toEqual({ code: 0, signal: null });
    });
  }

  for (const [name, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    test(`ends the process at once with ${code} when the second signal is ${name}`, async () => {
      await using listener = await startListener(longGraceMs);
      listener.child.kill('SIGTERM');
      await listener.heard('aborted');

      listener.child.kill(name);

      expect(await listener.ended).toEqual({ code, signal: null });
    });
  }

  test('ends the process with 1 and the reason when the grace period is over', async () => {
    await using listener = await startListener(20);

    listener.child.kill('SIGTERM');

    expect(await listener.heard('forced')).toContain('POLLING_SHUTDOWN_GRACE (20 ms)');
    expect(await listener.ended).toEqual({ code: 1, signal: null });
  });

  test('ends the process with its own exit code when only something forgotten holds it after its end', async () => {
    await using listener = await startListener(
      200,
      'stop[Symbol.dispose](); process.exitCode = 3;',
    );

    listener.child.kill('SIGTERM');

    expect(await listener.ended).toEqual({ code: 3, signal: null });
  });

  test('leaves the signals alone when it is disposed of', async () => {
    await using listener = await startListener(
      longGraceMs,
      // Node gives a signal back to the system only after the turn in which its last listener went.
      "stop[Symbol.dispose](); setTimeout(() => console.log('disposed'), 10);",
    );
    listener.child.kill('SIGTERM');
    await listener.heard('disposed');

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
