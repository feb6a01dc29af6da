import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { watchFirstAnswer } from '../../../../src/kafka/client/first-answer.ts';

const limits = { idleMs: 5000, answerMs: 3000 };

/** A frame of Kafka's protocol with a body of so many bytes; `apiKey` is that of a request. */
function frame(bytes: number, apiKey = 3): Buffer {
  const whole = Buffer.alloc(4 + bytes);
  whole.writeInt32BE(bytes);
  if (bytes >= 2) whole.writeInt16BE(apiKey, 4);
  return whole;
}

function watch() {
  const sent: unknown[] = [];
  const socket = Object.assign(new EventEmitter(), {
    write: (request: unknown) => sent.push(request) > 0,
  }) as unknown as Socket;
  const onSilence = jest.fn();
  const watched = watchFirstAnswer(socket, limits, onSilence);
  socket.emit('connect');
  return { socket, sent, onSilence, watched };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('the limit for the first response after an idle time', () => {
  test('reports a silent broker after the limit', () => {
    const { socket, sent, onSilence } = watch();
    jest.advanceTimersByTime(5000);
    socket.write(frame(20));
    jest.advanceTimersByTime(2900);
    expect(onSilence).not.toHaveBeenCalled();
    jest.advanceTimersByTime(100);
    expect(onSilence).toHaveBeenCalledTimes(1);
    expect(sent).toHaveLength(1);
  });

  test('ends with the first byte of the response, and with the connection', () => {
    const first = watch();
    const second = watch();
    jest.advanceTimersByTime(5000);
    first.socket.write(frame(20));
    second.socket.write(frame(20));
    first.socket.emit('data', frame(8).subarray(0, 3));
    second.socket.emit('close');
    jest.advanceTimersByTime(60_000);
    expect(first.onSilence).not.toHaveBeenCalled();
    expect(second.onSilence).not.toHaveBeenCalled();
  });

  test('does not apply to a connection in use or behind a pending response', () => {
    const { socket, onSilence } = watch();
    jest.advanceTimersByTime(4000);
    socket.write(frame(20));
    // The broker is slow, and the next request waits behind the first.
    jest.advanceTimersByTime(20_000);
    socket.write(frame(20));
    jest.advanceTimersByTime(20_000);
    expect(onSilence).not.toHaveBeenCalled();
  });

  test('does not apply to JoinGroup, which the broker holds back during a rebalance', () => {
    const { socket, onSilence } = watch();
    jest.advanceTimersByTime(10_000);
    socket.write(frame(20, 11));
    jest.advanceTimersByTime(60_000);
    expect(onSilence).not.toHaveBeenCalled();
  });

  test('starts the idle time only after the last byte of every response, for any chunks', () => {
    const { socket, watched } = watch();
    socket.write(frame(20));
    socket.write(frame(20));
    const answers = Buffer.concat([frame(8), frame(300)]);
    for (const byte of answers.subarray(0, -1)) socket.emit('data', Buffer.from([byte]));
    jest.advanceTimersByTime(60_000);
    expect(watched.isIdle()).toBe(false);
    socket.emit('data', answers.subarray(-1));
    expect(watched.isIdle()).toBe(false);
    jest.advanceTimersByTime(5000);
    expect(watched.isIdle()).toBe(true);
  });
});
