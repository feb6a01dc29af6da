import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { apiKeys, createFrames, headerOf, refusalOf, withPorts } from './kafka-frames.ts';

/** What becomes of a request or of its answer. */
export type Fault =
  /** The broker never gets the request. */
  | 'lose-request'
  /** The broker does what was asked; nobody hears of it. */
  | 'lose-response'
  /** The request waits here until it is released, however long its sender waits. */
  | 'hold-request'
  /** The broker does what was asked; its answer waits here. */
  | 'hold-response'
  /** The connection ends in the middle of the request. */
  | 'cut-request'
  /** The broker does what was asked; the connection ends in the middle of its answer. */
  | 'cut-response'
  /** An error is answered; `stored`: although the broker did what was asked. */
  | { readonly refuse: number; readonly stored: boolean };

/** A fault that waits for its requests. */
export interface Injection {
  /** Resolves when the first request has met it. */
  readonly met: Promise<void>;
  /** How many have met it. */
  count(): number;
  /** Lets go what is held. */
  release(): void;
  /** Ends it: requests pass again. */
  disarm(): void;
}

/** A way to the brokers of a cluster on which requests meet faults, for anyone who connects to it. */
export interface KafkaProxy extends AsyncDisposable {
  /** To be given in place of the cluster's own. */
  readonly brokers: readonly string[];
  /**
   * Arms a fault for the next `times` requests of a kind, after `skip` that pass, and not before a
   * request of the kind `after` was made.
   */
  inject(
    apiKey: number,
    fault: Fault,
    limits?: { readonly times?: number; readonly skip?: number; readonly after?: number },
  ): Injection;
  /** Cuts every connection that is open now. */
  cutAll(): void;
  /** While they are away every connection is cut. */
  setAway(away: boolean): void;
  /** Forgets every connection that is open now: both ends keep it, and nothing passes any more. */
  forgetAll(): void;
  /** While they are mute every connection stays open and nothing is heard on it, either way. */
  setMute(mute: boolean): void;
  /**
   * While they are stale, a fetch that was answered before is answered by the same bytes again, as by
   * a broker that does not know yet that another leads its partitions.
   */
  setStale(stale: boolean): void;
}

interface Armed {
  readonly apiKey: number;
  readonly fault: Fault;
  left: number;
  skip: number;
  after: number | undefined;
  readonly meet: () => void;
  readonly hold: (go: () => void) => void;
}

/** What the connections of a proxy share. */
interface Relay {
  readonly ports: Map<string, number>;
  readonly sockets: Set<Socket>;
  readonly forgotten: WeakSet<Socket>;
  isMute: boolean;
  isStale: boolean;
  /** The last answers to fetches. */
  readonly fetched: Map<string, Buffer>;
  take(apiKey: number): Armed | undefined;
}

/** Starts a proxy for each broker. */
export async function startKafkaProxy(brokers: readonly string[]): Promise<KafkaProxy> {
  const armed: Armed[] = [];
  const relay: Relay = {
    ports: new Map(),
    sockets: new Set(),
    forgotten: new WeakSet(),
    isMute: false,
    isStale: false,
    fetched: new Map(),
    take: (apiKey) => takeArmed(armed, apiKey),
  };
  let isAway = false;
  const servers = await Promise.all(
    brokers.map(async (broker) => {
      const server = createServer((client) => {
        if (isAway) client.destroy();
        else connectThrough(client, broker, relay);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      relay.ports.set(broker, (server.address() as AddressInfo).port);
      return server;
    }),
  );
  const cutAll = (): void => {
    for (const socket of relay.sockets) socket.destroy();
  };
  return {
    brokers: servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`),
    inject: (apiKey, fault, { times = 1, skip = 0, after } = {}) =>
      arm(armed, { apiKey, fault, left: times, skip, after }),
    cutAll,
    setAway(away) {
      isAway = away;
      if (away) cutAll();
    },
    forgetAll() {
      for (const socket of relay.sockets) relay.forgotten.add(socket);
    },
    setMute(mute) {
      relay.isMute = mute;
    },
    setStale(stale) {
      relay.isStale = stale;
    },
    async [Symbol.asyncDispose]() {
      const closed = servers.map((server: Server) => once(server, 'close'));
      for (const server of servers) server.close();
      cutAll();
      await Promise.all(closed);
    },
  };
}

function takeArmed(armed: Armed[], apiKey: number): Armed | undefined {
  const isMeant = (one: Armed) => one.apiKey === apiKey && one.after === undefined && one.left > 0;
  const found = armed.find(isMeant);
  for (const one of armed) if (one.after === apiKey) one.after = undefined;
  if (found === undefined) return undefined;
  if (found.skip > 0) {
    found.skip -= 1;
    return undefined;
  }
  found.left -= 1;
  return found;
}

function arm(armed: Armed[], what: Omit<Armed, 'meet' | 'hold'>): Injection {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const held: (() => void)[] = [];
  let released = false;
  let met = 0;
  const fault: Armed = {
    ...what,
    meet() {
      met += 1;
      resolve(undefined);
    },
    hold(go) {
      if (released) go();
      else held.push(go);
    },
  };
  armed.push(fault);
  return {
    met: promise,
    count: () => met,
    release() {
      released = true;
      for (const go of held.splice(0)) go();
    },
    disarm() {
      fault.left = 0;
    },
  };
}

/** Whether brokers are named in the answers to a kind of request. */
const naming: readonly number[] = [apiKeys.metadata, apiKeys.findCoordinator];

function connectThrough(client: Socket, broker: string, relay: Relay): void {
  const [host = '', port = ''] = broker.split(':');
  const upstream = connect({ host, port: Number(port), noDelay: true });
  for (const socket of [client, upstream]) {
    relay.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => relay.sockets.delete(socket));
  }
  const isSilent = (): boolean => relay.isMute || relay.forgotten.has(client);
  const answers = new Map<number, (answer: Buffer) => void>();
  const answer = (frame: Buffer): void => {
    if (!client.destroyed && !isSilent()) client.write(frame);
  };
  const ends = { client, upstream, answers, answer };
  let holding = false;
  client.on(
    'data',
    createFrames((request) => {
      if (isSilent()) return;
      const { apiKey, correlationId } = headerOf(request);
      if (naming.includes(apiKey)) {
        answers.set(correlationId, (frame) => {
          answer(withPorts(frame, relay.ports));
        });
      }
      if (apiKey === apiKeys.fetch && serveFetch(request, relay, ends)) return;
      const met = relay.take(apiKey);
      if (met === undefined) {
        upstream.write(request);
        return;
      }
      holding ||= met.fault === 'hold-request';
      spoil(request, met, ends);
      met.meet();
    }),
  );
  upstream.on(
    'data',
    createFrames((frame) => {
      const correlationId = frame.readInt32BE(4);
      const take = answers.get(correlationId) ?? answer;
      answers.delete(correlationId);
      take(frame);
    }),
  );
  // A request that is held here still arrives when its sender is long gone.
  client.once('close', () => !holding && upstream.destroy());
  upstream.once('close', () => client.destroy());
}

interface Ends {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly answers: Map<number, (answer: Buffer) => void>;
  readonly answer: (frame: Buffer) => void;
}

/** Answers a fetch as before, or keeps the answer that it will get. */
function serveFetch(request: Buffer, relay: Relay, { answers, answer }: Ends): boolean {
  const { correlationId } = headerOf(request);
  // Behind the correlation id; a fetch session would make each differ, but kafkajs has none.
  const asked = request.toString('latin1', 12);
  const known = relay.isStale ? relay.fetched.get(asked) : undefined;
  if (known === undefined) {
    answers.set(correlationId, (frame) => {
      relay.fetched.set(asked, frame);
      answer(frame);
    });
    return false;
  }
  const again = Buffer.from(known);
  again.writeInt32BE(correlationId, 4);
  answer(again);
  return true;
}

function spoil(request: Buffer, { fault, hold }: Armed, ends: Ends): void {
  const { client, upstream, answers, answer } = ends;
  const { correlationId } = headerOf(request);
  const forward = (onAnswer: (frame: Buffer) => void): void => {
    answers.set(correlationId, onAnswer);
    upstream.write(request);
  };
  if (typeof fault === 'object') {
    const refusal = refusalOf(request, fault.refuse);
    if (fault.stored) {
      forward(() => {
        answer(refusal);
      });
    } else answer(refusal);
    return;
  }
  switch (fault) {
    case 'lose-request':
      return;
    case 'lose-response':
      forward(() => undefined);
      return;
    case 'hold-request':
      hold(() => upstream.write(request));
      return;
    case 'hold-response':
      forward((frame) => {
        hold(() => {
          answer(frame);
        });
      });
      return;
    case 'cut-request':
      upstream.end(request.subarray(0, request.length >> 1));
      client.end();
      return;
    case 'cut-response':
      forward((frame) => {
        client.end(frame.subarray(0, frame.length >> 1));
        upstream.end();
      });
  }
}
