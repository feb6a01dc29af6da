import { describe, expect, test } from '@jest/globals';

import { renderBrokerEnvironment } from '../../../../sandbox/cluster/docker.ts';
import { createLayerSizes, listEngineHosts } from '../../../../sandbox/cluster/docker-engine.ts';
import { findFreePorts } from '../../../../sandbox/cluster/free-port.ts';
import { readJavaVersion } from '../../../../sandbox/cluster/java.ts';
import { makeClusterId, renderProperties } from '../../../../sandbox/cluster/kafka-process.ts';

const THREE_BROKERS = [
  { client: 101, controller: 201 },
  { client: 102, controller: 202 },
  { client: 103, controller: 203 },
];

describe('server.properties of a sandbox broker', () => {
  test('contain the node, its ports and every voter', () => {
    const lines = renderProperties(1, THREE_BROKERS, '/data/1').split('\n');
    expect(lines.slice(0, 8)).toEqual([
      'process.roles=broker,controller',
      'node.id=2',
      'controller.quorum.voters=1@127.0.0.1:201,2@127.0.0.1:202,3@127.0.0.1:203',
      'listeners=PLAINTEXT://127.0.0.1:102,CONTROLLER://127.0.0.1:202',
      'advertised.listeners=PLAINTEXT://127.0.0.1:102',
      'controller.listener.names=CONTROLLER',
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'log.dirs=/data/1',
    ]);
  });

  test('contain a second listener that advertises a proxy, while brokers use the first', () => {
    const [first, ...others] = THREE_BROKERS;
    const proxied = { port: 301, advertised: '127.0.0.1:401' };
    const lines = renderProperties(
      0,
      [{ client: 101, controller: 201, ...first, proxied }, ...others],
      '/data/0',
    );
    expect(lines.split('\n').slice(3, 7)).toEqual([
      'listeners=PLAINTEXT://127.0.0.1:101,PROXIED://127.0.0.1:301,CONTROLLER://127.0.0.1:201',
      'advertised.listeners=PLAINTEXT://127.0.0.1:101,PROXIED://127.0.0.1:401',
      'controller.listener.names=CONTROLLER',
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    ]);
  });

  test('replicate the internal topics of transactions and groups when there are several brokers', () => {
    const lines = renderProperties(0, THREE_BROKERS, '/data/0').split('\n');
    expect(lines).toContain('transaction.state.log.replication.factor=3');
    expect(lines).toContain('transaction.state.log.min.isr=2');
    expect(lines).toContain('offsets.topic.replication.factor=3');
  });

  test('set one replica when there is one broker', () => {
    const lines = renderProperties(0, [{ client: 1, controller: 2 }], '/data').split('\n');
    expect(lines).toContain('transaction.state.log.replication.factor=1');
    expect(lines).toContain('transaction.state.log.min.isr=1');
    expect(lines).toContain('auto.create.topics.enable=false');
  });

  test('are rejected for a broker without ports', () => {
    expect(() => renderProperties(3, THREE_BROKERS, '/data')).toThrow('no ports for broker 3');
  });
});

describe('settings of the sandbox cluster', () => {
  test('reach the Kafka image as environment variables', () => {
    const environment = renderBrokerEnvironment('127.0.0.1:20000');
    expect(environment).toMatchObject({
      KAFKA_NODE_ID: '1',
      KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://127.0.0.1:20000,INTERNAL://localhost:9094',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'INTERNAL',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    });
  });

  test('contain a cluster id of 16 bytes in base64url', () => {
    expect(makeClusterId((bytes) => Buffer.alloc(bytes, 0xff))).toBe('_____________________w');
  });

  test('contain no cluster id that starts with a dash', () => {
    const bytes = [0xf8, 0x00];
    expect(makeClusterId((length) => Buffer.alloc(length, bytes.shift()))).toBe(
      'AAAAAAAAAAAAAAAAAAAAAA',
    );
  });

  test.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_402"', 8],
    ['openjdk version "25" 2025-09-16', 25],
    ['no version here', undefined],
  ])('derive the Java version from %j', (output, version) => {
    expect(readJavaVersion(output)).toBe(version);
  });

  test('list DOCKER_HOST before the usual Docker sockets', () => {
    const env = { DOCKER_HOST: 'tcp://127.0.0.1:2375', XDG_RUNTIME_DIR: '/run/me' };
    expect(listEngineHosts(env, '/home/me', 7)).toEqual([
      'tcp://127.0.0.1:2375',
      'unix:///var/run/docker.sock',
      'unix:///run/me/docker.sock',
      'unix:///home/me/.docker/run/docker.sock',
      'unix:///home/me/.docker/desktop/docker.sock',
      'unix:///run/user/7/docker.sock',
    ]);
  });

  test('contain distinct ports when the operating system offers one port twice', async () => {
    const picks = [18_231, 18_231, 18_232];
    const ports = await findFreePorts(2, () => picks.shift() ?? 18_233);
    expect(new Set(ports).size).toBe(2);
  });
});

describe('pull of an image', () => {
  test('reports the sum of its layers, a downloaded one in full, and ignores other events', () => {
    const sizes = createLayerSizes();
    const progress = (id: string, current: number) => ({
      status: 'Downloading',
      id,
      progressDetail: { current: current * 1e6, total: 50e6 },
    });
    sizes.add({ status: 'Pulling from apache/kafka', id: '4.1.1' });
    sizes.add(progress('a', 10));
    sizes.add(progress('a', 20));
    sizes.add(progress('b', 5));
    expect(sizes.describe()).toBe('25 of 100 MB');

    sizes.add({ status: 'Download complete', id: 'a', progressDetail: {} });
    sizes.add({ status: 'Extracting', id: 'a', progressDetail: { current: 1, total: 2 } });
    expect(sizes.describe()).toBe('55 of 100 MB');
  });
});
