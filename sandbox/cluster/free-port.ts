import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/*
 * Ports are taken below the ephemeral range (from 32768 on Linux, 49152 elsewhere). A client that
 * reconnects to a stopped broker in that range can be given the broker's own port: it connects to
 * itself, and the broker cannot restart.
 */
const LOWEST_PORT = 15_000;
const HIGHEST_PORT = 32_000;
const ATTEMPTS = 200;

/**
 * Finds free ports on 127.0.0.1, all different.
 *
 * @param count - the number of ports
 * @param pick - returns a number from its first argument up to, not including, its second
 * @throws Error when too many tries hit taken ports
 */
export async function findFreePorts(count: number, pick = randomInt): Promise<number[]> {
  const found = new Set<number>();
  for (let attempt = 0; found.size < count; attempt += 1) {
    if (attempt === ATTEMPTS + count) {
      throw new Error(`found no free port between ${LOWEST_PORT} and ${HIGHEST_PORT} on 127.0.0.1`);
    }
    const port = pick(LOWEST_PORT, HIGHEST_PORT);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
