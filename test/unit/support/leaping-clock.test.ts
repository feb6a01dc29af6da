import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { setTimeout as realSleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { startHttpServer } from '../../support/http-server.ts';
import { createLeapingClock } from '../../support/leaping-clock.ts';

/** A server of bytes on a free port of loopback. */
async function listen(serve: (socket: Socket) => void) {
  const server = createServer(serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

const hourMs = 3_600_000;
const never = new AbortController().signal;

describe('the leaping clock', () => {
  it('wakes sleepers in order without waiting, and reports each leap before it', async () => {
    const events: string[] = [];
    const onLeap = (nowMs: number): void => {
      events.push(`leap ${Math.round(nowMs / hourMs)}`);
    };
    using clock = createLeapingClock({ startMs: 0, onLeap, restMs: 1 });
    const sleep = (hours: number) =>
      clock.sleep(hours * hourMs, never).then(() => events.push(`woke ${hours}`));

    await Promise.all([sleep(5), sleep(2)]);

    expect(events).toEqual(['leap 2', 'woke 2', 'leap 5', 'woke 5']);
    expect(clock.nowMs()).toBeGreaterThanOrEqual(5 * hourMs);
  });

  it('does not leap while work holds the clock', async () => {
    const events: string[] = [];
    using clock = createLeapingClock({ startMs: 0, restMs: 1 });
    const work = clock.hold(async () => {
      await realSleep(60);
      events.push('work');
    });

    await clock.sleep(hourMs, never);
    events.push('woke');

    expect(events).toEqual(['work', 'woke']);
    await work;
  });

  it('does not leap during an HTTP request', async () => {
    const events: string[] = [];
    await using server = await startHttpServer((_request, response) => {
      setTimeout(() => {
        events.push('answered');
        response.end('{}');
      }, 60);
    });
    using clock = createLeapingClock({ startMs: 0, restMs: 1 });
    const request = fetch(server.url).then((response) => response.text());

    await clock.sleep(hourMs, never);
    events.push('woke');

    expect(events).toEqual(['answered', 'woke']);
    await request;
  });

  it('does not leap while data sent over a connection is unanswered', async () => {
    const events: string[] = [];
    await using listening = await listen((socket) => {
      socket.once('data', () => {
        setTimeout(() => {
          events.push('answered');
          socket.write('yes');
        }, 60);
      });
    });
    using clock = createLeapingClock({ startMs: 0, restMs: 1 });
    const socket = connect(listening.port, '127.0.0.1');
    socket.write('well?');

    await clock.sleep(hourMs, never);
    events.push('woke');

    expect(events).toEqual(['answered', 'woke']);
    socket.destroy();
  });

  it('does not leap between begin and the end of the work', async () => {
    const events: string[] = [];
    using clock = createLeapingClock({ startMs: 0, restMs: 1 });
    const end = clock.begin();
    setTimeout(() => {
      events.push('ended');
      end();
    }, 60);

    await clock.sleep(hourMs, never);
    events.push('woke');

    expect(events).toEqual(['ended', 'woke']);
  });

  it('lets a delayed process run its pending work before it leaps', async () => {
    const events: string[] = [];
    using clock = createLeapingClock({ startMs: 0, restMs: 10 });
    const asleep = clock.sleep(hourMs, never).then(() => events.push('woke'));
    setImmediate(() => {
      const untilMs = performance.now() + 50;
      while (performance.now() < untilMs);
      setImmediate(() => {
        clock.nowMs();
        events.push('asked');
      });
    });

    await asleep;

    expect(events).toEqual(['asked', 'woke']);
  });

  it('rejects an aborted sleep with the reason and does not leap for it', async () => {
    using clock = createLeapingClock({ startMs: 0, restMs: 1 });
    const stop = new AbortController();
    const sleeping = clock.hold(() => {
      const asleep = clock.sleep(hourMs, stop.signal);
      stop.abort(new Error('enough'));
      return asleep;
    });

    await expect(sleeping).rejects.toThrow('enough');
    await expect(clock.sleep(hourMs, stop.signal)).rejects.toThrow('enough');
    expect(clock.nowMs()).toBeLessThan(hourMs);
  });
});
