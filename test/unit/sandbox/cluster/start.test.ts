import { describe, expect, test } from '@jest/globals';

import {
  type Cluster,
  type ClusterRequest,
  createUnsupportedFaults,
} from '../../../../sandbox/cluster/cluster.ts';
import { useEnvironment } from '../../../../sandbox/cluster/environment.ts';
import { type Candidate, startFirst } from '../../../../sandbox/cluster/start.ts';

const REQUEST: ClusterRequest = {
  brokers: 1,
  toMeasure: false,
  env: {},
  log: () => undefined,
  signal: undefined,
};

function makeCluster(source: Cluster['source']): Cluster {
  return {
    source,
    brokers: ['127.0.0.1:1'],
    registryUrl: 'http://127.0.0.1:2',
    broker: createUnsupportedFaults('it is made up'),
    registry: createUnsupportedFaults('it is made up'),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function makeCandidate(source: Cluster['source'], failure?: string): Candidate {
  return {
    source,
    needs: `what ${source} needs`,
    start: () =>
      failure === undefined
        ? Promise.resolve(makeCluster(source))
        : Promise.reject(new Error(failure)),
  };
}

describe('choice of the cluster source', () => {
  test('takes the first source when it is available', async () => {
    const cluster = await startFirst([makeCandidate('docker'), makeCandidate('java')], REQUEST);
    expect(cluster.source).toBe('docker');
  });

  test('takes a later source when the earlier ones are unavailable', async () => {
    const candidates = [
      makeCandidate('environment', 'KAFKA_BROKERS is not set'),
      makeCandidate('docker', 'no engine'),
      makeCandidate('java'),
    ];
    expect((await startFirst(candidates, REQUEST)).source).toBe('java');
  });

  test('reports a source that is unavailable, with the first line of its reason', async () => {
    const said: string[] = [];
    const request = { ...REQUEST, log: (line: string) => said.push(line) };
    await startFirst(
      [makeCandidate('docker', 'no engine\nits log'), makeCandidate('java')],
      request,
    );
    expect(said).toEqual(['cannot use docker: no engine']);
  });

  test('fails with every source and its reason when none is available', async () => {
    const candidates = [
      makeCandidate('environment', 'KAFKA_BROKERS is not set'),
      makeCandidate('docker', 'no engine'),
      makeCandidate('java', 'no java'),
    ];
    await expect(startFirst(candidates, REQUEST)).rejects.toThrow(
      new Error(
        'found no way to run Kafka and a schema registry; give one of these:\n' +
          '- environment (needs what environment needs): KAFKA_BROKERS is not set\n' +
          '- docker (needs what docker needs): no engine\n' +
          '- java (needs what java needs): no java',
      ),
    );
  });

  test('starts nothing when the signal is aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const starting = startFirst([makeCandidate('java')], { ...REQUEST, signal });
    await expect(starting).rejects.toThrow('enough');
  });
});

describe('environment as cluster source', () => {
  test('is unavailable without KAFKA_BROKERS', async () => {
    await expect(useEnvironment(REQUEST)).rejects.toThrow('KAFKA_BROKERS is not set');
  });

  test('is unavailable without SCHEMA_REGISTRY_URL', async () => {
    const request = { ...REQUEST, env: { KAFKA_BROKERS: '127.0.0.1:1' } };
    await expect(useEnvironment(request)).rejects.toThrow('SCHEMA_REGISTRY_URL is not set');
  });

  test('is unavailable when no broker accepts connections', async () => {
    const env = { KAFKA_BROKERS: '127.0.0.1:1', SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1' };
    await expect(useEnvironment({ ...REQUEST, env })).rejects.toThrow(
      'no broker of KAFKA_BROKERS accepts connections',
    );
  });
});
