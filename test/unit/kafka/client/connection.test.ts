import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { logLevel } from 'kafkajs';
import { routeLine, withoutLateUnref } from '../../../../src/kafka/client/connection.ts';

function line(level: logLevel, message: string, extra: Record<string, unknown> = {}) {
  const log = { timestamp: '2026-01-01T00:00:00Z', logger: 'kafkajs', message, ...extra };
  return routeLine({ namespace: 'Connection', level, label: '', log });
}

describe('routeLine', () => {
  test('logs an error of kafkajs as a warning, without its stack', () => {
    expect(line(logLevel.ERROR, 'Response Produce', { broker: 'b:1', stack: 'at …' })).toEqual({
      level: 'warn',
      message: 'Response Produce',
      fields: { broker: 'b:1' },
    });
  });

  test('logs information of kafkajs at level debug', () => {
    expect(line(logLevel.INFO, 'Consumer has joined the group').level).toBe('debug');
  });

  test.each([
    [
      'Response AddPartitionsToTxn(key: 24, version: 1)',
      'The producer attempted to update a transaction while another concurrent operation on the same transaction was ongoing',
    ],
    ['Response InitProducerId', "The coordinator is loading and hence can't process requests"],
    ['Response GroupCoordinator', 'The group coordinator is not available'],
    ['Connection error: connect ECONNREFUSED 127.0.0.1:9092', undefined],
    ['Limiting retries for the idempotent producer may invalidate EoS guarantees', undefined],
    ['Crash: KafkaJSGroupCoordinatorNotFound: Failed to find group coordinator', undefined],
    ['The group is rebalancing, re-joining', 'The group is rebalancing, so a rejoin is needed'],
    ['Response Heartbeat(key: 12, version: 3)', 'The group is rebalancing, so a rejoin is needed'],
    ['Response Metadata(key: 3, version: 6)', 'This server does not host this topic-partition'],
    ['Response DeleteGroups(key: 42, version: 1)', 'Not authorized to access group'],
    ['Response without match', undefined],
  ])('logs a normal event at level debug: %s', (message, error) => {
    expect(line(logLevel.ERROR, message, error === undefined ? {} : { error }).level).toBe('debug');
  });
});

test('a closed socket keeps no listener of the calls of unref', async () => {
  const socket = connect({ host: '127.0.0.1', port: 1 });
  withoutLateUnref(socket);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('close', resolve));
  const before = socket.listenerCount('connect');
  for (let call = 0; call < 20; call += 1) socket.unref();

  expect(socket.listenerCount('connect')).toBe(before);
});
