import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { GraphApi } from '../../sandbox/graph-api/server.ts';
import { startProxy } from './proxy.ts';

const verifyToken = 'a-token-of-the-chaos-suite';
const rotateMs = 1000;

/** The webhooks of new comments, sent to one instance after another, as by a load balancer. */
export interface ChaosWebhooks extends AsyncDisposable {
  /** The environment of an instance, with the port of its receiver. */
  environmentOf(index: number): Readonly<Record<string, string>>;
}

/**
 * Sends each comment several times and out of order. A request that no instance accepts is repeated.
 *
 * @param size - the number of instances
 */
export async function openWebhooks(api: GraphApi, size: number): Promise<ChaosWebhooks> {
  const proxy = await startProxy();
  const ports = await Promise.all(Array.from({ length: size }, freePort));
  let turn = 0;
  const rotate = (): void => {
    turn += 1;
    proxy.leadTo(`127.0.0.1:${ports[turn % size] ?? 0}`);
  };
  rotate();
  const rotating = setInterval(rotate, rotateMs);
  api.webhooks.configure({
    callbackUrl: `http://${proxy.address}/webhooks/instagram`,
    fields: ['comments'],
    subscribeAll: true,
    batch: 20,
    repeat: 1,
    reorder: true,
    retryMs: 100,
  });
  return {
    environmentOf: (index) => ({
      INSTAGRAM_CLIENT_SECRET: api.world.app.clientSecret,
      WEBHOOK_RECEIVER_PORT: String(ports[index]),
      WEBHOOK_RECEIVER_HOST: '127.0.0.1',
      WEBHOOK_RECEIVER_VERIFY_TOKEN: verifyToken,
    }),
    async [Symbol.asyncDispose]() {
      clearInterval(rotating);
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** Returns a port that is free now: a restarted instance keeps its own. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
