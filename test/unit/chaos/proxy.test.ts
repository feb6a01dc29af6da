import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { type Proxy, startProxy } from '../../chaos/proxy.ts';

/** A server that echoes what it receives. */
async function startEcho(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

describe('the chaos proxy', () => {
  let echo: Server;
  let proxy: Proxy;
  const open: Socket[] = [];

  beforeEach(async () => {
    echo = await startEcho();
    proxy = await startProxy();
    proxy.leadTo(`127.0.0.1:${portOf(echo)}`);
  });

  afterEach(async () => {
    for (const socket of open.splice(0)) socket.destroy();
    await proxy[Symbol.asyncDispose]();
    echo.close();
  });

  const dial = async (): Promise<Socket> => {
    const [host = '', port = ''] = proxy.address.split(':');
    const socket = connect({ host, port: Number(port), allowHalfOpen: true });
    socket.on('error', () => undefined);
    open.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  /** The text received until it has that length or the connection ends. */
  const read = (socket: Socket, length: number) =>
    new Promise<string>((resolve) => {
      let text = '';
      const finish = () => {
        resolve(text);
      };
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.length >= length) finish();
      });
      socket.on('end', finish);
      socket.on('close', finish);
    });
  const say = async (socket: Socket, text: string): Promise<string> => {
    const answer = read(socket, text.length);
    socket.write(text);
    return answer;
  };

  test('forwards everything without a disturbance', async () => {
    expect(await say(await dial(), 'hello')).toBe('hello');
  });

  test('closes connections when it has no target', async () => {
    await using other = await startProxy();
    const [host = '', port = ''] = other.address.split(':');
    const socket = connect({ host, port: Number(port) });
    open.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'close');
    expect(socket.destroyed).toBe(true);
  });

  test('delays both directions and keeps the order of the data', async () => {
    const accepted = once(echo, 'connection') as Promise<[Socket]>;
    const socket = await dial();
    const [server] = await accepted;
    const answer = read(socket, 6);
    const startMs = performance.now();
    proxy.disturb({ kind: 'delay', delayMs: 60 });
    socket.write('abc');
    await once(server, 'data');
    setTimeout(() => {
      proxy.calm();
      server.write('def');
    }, 20);
    expect(await answer).toBe('abcdef');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(110);
  });

  test('drops the data and then resets the connection', async () => {
    const socket = await dial();
    expect(await say(socket, 'one')).toBe('one');
    proxy.disturb({ kind: 'drop' });
    const answer = read(socket, 3);
    socket.write('two');
    proxy.calm();
    expect(await answer).toBe('');
    expect(await say(await dial(), 'three')).toBe('three');
  });

  test('cuts open connections in the middle of the data, and accepts new ones', async () => {
    const socket = await dial();
    expect(await say(socket, 'one')).toBe('one');
    const received = once(echo, 'connection').catch(() => undefined);
    proxy.disturb({ kind: 'cut' });
    const answer = read(socket, 8);
    socket.write('12345678');
    expect((await answer).length).toBeLessThan(8);
    expect(await say(await dial(), 'two')).toBe('two');
    await received;
  });

  test.each(['client', 'server'] as const)('closes only the direction to the %s', async (side) => {
    const ended = once(echo, 'connection').then(async ([socket]) => {
      await once(socket as Socket, 'end');
      return 'server';
    });
    const socket = await dial();
    expect(await say(socket, 'one')).toBe('one');
    const told = Promise.race([ended, once(socket, 'end').then(() => 'client')]);
    proxy.disturb({ kind: 'halve', side });
    expect(await told).toBe(side);
  });
});
