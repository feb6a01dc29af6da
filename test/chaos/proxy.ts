import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What goes wrong on a way, for as long as it is set. */
export type Disturbance =
  /** Everything comes this much later, each way. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** Nothing arrives, nobody hears that it does not; afterwards what was open then is reset. */
  | { readonly kind: 'drop' }
  /** What is open is cut in the middle of what it sends next. */
  | { readonly kind: 'cut' }
  /** What is open is closed in one direction: the other may go on. */
  | { readonly kind: 'halve'; readonly side: 'client' | 'server' };

/** A TCP way to a server on which bytes are delayed, dropped and cut. */
export interface Proxy extends AsyncDisposable {
  /** `host:port` to give to clients in place of the server's. */
  readonly address: string;
  /** Says where it leads; until then connections are refused by being closed. */
  leadTo(target: string): void;
  disturb(disturbance: Disturbance): void;
  /** Lets everything through again; what was dropped or halved is reset. */
  calm(): void;
}

/** Starts a proxy on a free port of loopback. */
export async function startProxy(): Promise<Proxy> {
  const ways = new Set<Way>();
  let target: string | undefined;
  let disturbance: Disturbance | undefined;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    client.on('error', () => undefined);
    if (target === undefined) {
      client.destroy();
      return;
    }
    const way = openWay(client, target, () => disturbance);
    ways.add(way);
    way.onEnd(() => ways.delete(way));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo(address) {
      target = address;
    },
    disturb(next) {
      disturbance = next;
      for (const way of ways) way.meet(next);
    },
    calm() {
      disturbance = undefined;
      for (const way of ways) way.recover();
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const way of ways) way.destroy();
      await closed;
    },
  };
}

/** A connection through a proxy. */
interface Way {
  meet(disturbance: Disturbance): void;
  recover(): void;
  destroy(): void;
  onEnd(callback: () => void): void;
}

function openWay(client: Socket, target: string, current: () => Disturbance | undefined): Way {
  const server = connectTo(target);
  client.setNoDelay(true);
  const wounds = { isCut: false, isSpoilt: false };
  const callbacks: (() => void)[] = [];
  const destroy = (): void => {
    client.destroy();
    server.destroy();
    for (const callback of callbacks.splice(0)) callback();
  };
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ] as const) {
    socket.on('error', destroy);
    socket.on('close', () => {
      other.destroySoon();
      for (const callback of callbacks.splice(0)) callback();
    });
    const line = createLine();
    socket.on('data', (chunk: Buffer) => {
      const disturbance = current();
      if (disturbance?.kind === 'drop') wounds.isSpoilt = true;
      else if (wounds.isCut)
        line.pass(0, () => other.write(chunk.subarray(0, chunk.length >> 1), destroy));
      else line.pass(delayOf(disturbance), () => other.writable && other.write(chunk));
    });
    socket.on('end', () => {
      if (current()?.kind !== 'drop') line.pass(delayOf(current()), () => other.end());
    });
  }
  return {
    meet(disturbance) {
      if (disturbance.kind === 'cut') wounds.isCut = true;
      if (disturbance.kind === 'drop') wounds.isSpoilt = true;
      if (disturbance.kind !== 'halve') return;
      wounds.isSpoilt = true;
      (disturbance.side === 'client' ? client : server).end();
    },
    recover() {
      if (wounds.isSpoilt || wounds.isCut) destroy();
    },
    destroy,
    onEnd: (callback) => callbacks.push(callback),
  };
}

function connectTo(target: string): Socket {
  const colon = target.lastIndexOf(':');
  return connect({
    host: target.slice(0, colon),
    port: Number(target.slice(colon + 1)),
    noDelay: true,
    allowHalfOpen: true,
  });
}

function delayOf(disturbance: Disturbance | undefined): number {
  return disturbance?.kind === 'delay' ? disturbance.delayMs : 0;
}

/** One direction of a connection: what is delayed is never overtaken by what is not. */
function createLine() {
  let waiting = 0;
  let tail = Promise.resolve();
  return {
    pass(delayMs: number, act: () => void): void {
      if (waiting === 0 && delayMs === 0) {
        act();
        return;
      }
      const due = performance.now() + delayMs;
      waiting += 1;
      tail = tail.then(async () => {
        await sleep(Math.max(0, due - performance.now()));
        waiting -= 1;
        act();
      });
    },
  };
}
