import { describe, expect, test } from '@jest/globals';
import { listNearMisses } from '../../../src/config/environment.ts';
import { settings } from '../../../src/config/schema.ts';

const found = (...names: readonly string[]) =>
  listNearMisses(Object.fromEntries(names.map((name) => [name, 'secret']))).map(
    ({ name, nearest }) => [name, nearest],
  );

describe('listNearMisses', () => {
  test.each([
    ['STREAM', 'STREAMS'],
    ['STREAMS_ENABLED', 'STREAMS'],
    ['LOG_LEVLE', 'LOG_LEVEL'],
    ['LOG_LEVELS', 'LOG_LEVEL'],
    ['HTPP_PORT', 'HTTP_PORT'],
    ['INSTAGRM_ACCESS_TOKEN', 'INSTAGRAM_ACCESS_TOKEN'],
    ['INSTAGRAMACCESS_TOKEN_FILE', 'INSTAGRAM_ACCESS_TOKEN_FILE'],
    ['KAKFA_BROKERS', 'KAFKA_BROKERS'],
    ['SCHEMA_REGISTY_URL', 'SCHEMA_REGISTRY_URL'],
    ['SCHEMAREGISTRY_URL', 'SCHEMA_REGISTRY_URL'],
    ['POLING_CONCURRENCY', 'POLLING_CONCURRENCY'],
  ])('reports %s with the nearest variable', (name, nearest) => {
    expect(found(name)).toEqual([[name, nearest]]);
  });

  test("ignores the program's variables and those that are already rejected", () => {
    expect(found(...settings.map(({ env }) => env))).toEqual([]);
    expect(found('INSTAGRAM_ACCES_TOKEN', 'KAFKA_BROKER')).toEqual([]);
  });

  test('ignores the usual variables of containers', () => {
    const ordinary =
      'PATH HOME HOSTNAME PWD SHLVL TERM LANG LC_ALL TZ USER LOGNAME SHELL TMPDIR NODE_ENV NODE_VERSION ' +
      'NODE_OPTIONS YARN_VERSION HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy HTTPS_PORT HTTPS_HOST ' +
      'SMTP_PORT SMTP_HOST FTP_PORT SFTP_HOST PORT HOST LOG_DIR LOG_FORMAT LOG_FILE LOG_PATH DEBUG ' +
      'KAFKA_HOME KAFKA_OPTS KAFKA_HEAP_OPTS KAFKA_JMX_OPTS KAFKA_VERSION JAVA_HOME SCALA_VERSION ' +
      'KUBERNETES_SERVICE_HOST KUBERNETES_PORT KUBERNETES_PORT_443_TCP_ADDR KAFKA_SERVICE_HOST ' +
      'KAFKA_SERVICE_PORT KAFKA_PORT_9092_TCP HTTP_SERVICE_HOST STREAMS_SERVICE_HOST STREAMS_SERVICE_PORT ' +
      'STREAMS_PORT_80_TCP_ADDR LOG_SERVICE_PORT POD_NAME POD_IP AWS_REGION OTEL_SERVICE_NAME npm_config_cache _';
    expect(found(...ordinary.split(' '))).toEqual([]);
  });
});
