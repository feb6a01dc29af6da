import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../src/config/load.ts';
import { makeCertificates, type Certificates } from '../../support/certificates.ts';

const pages = ['amazon-msk', 'confluent-cloud', 'aiven', 'azure-event-hubs'];

/** The blocks of settings of a page, each as an environment; the quotes are the shell's. */
function environmentsOf(page: string): readonly Readonly<Record<string, string>>[] {
  const text = readFileSync(
    new URL(`../../../docs/operations/${page}.md`, import.meta.url),
    'utf8',
  );
  const blocks = [...text.matchAll(/```sh\n(KAFKA_BROKERS=[^`]*)```/g)];
  return blocks.map(([, block = '']) => {
    const settings = [...block.matchAll(/^(\w+)='?(.*?)'?$/gm)];
    return Object.fromEntries(settings.map(([, name = '', value = '']) => [name, value]));
  });
}

const cases = pages.flatMap((page) =>
  environmentsOf(page).map((env) => [page, env['KAFKA_SASL_MECHANISM'] ?? 'SSL', env] as const),
);

let folder = '';
let certificates: Certificates;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'managed-'));
  certificates = await makeCertificates(folder, 'password');
});
afterAll(() => rm(folder, { recursive: true }));

describe('the pages of managed Kafka', () => {
  test('have a block of settings for each login', () => {
    expect(cases.map(([page, mechanism]) => `${page}: ${mechanism}`)).toEqual([
      'amazon-msk: AWS_MSK_IAM',
      'amazon-msk: SCRAM-SHA-512',
      'confluent-cloud: PLAIN',
      'confluent-cloud: OAUTHBEARER',
      'aiven: SCRAM-SHA-256',
      'aiven: SSL',
      'azure-event-hubs: PLAIN',
      'azure-event-hubs: OAUTHBEARER',
    ]);
  });

  test.each(cases)('have settings that the program accepts: %s, %s', (_page, _mechanism, env) => {
    const files: Readonly<Record<string, string>> = {
      '/etc/kafka/ca.pem': certificates.ca,
      '/etc/kafka/service.cert': certificates.client.certificate,
      '/etc/kafka/service.key': certificates.client.key,
    };
    const present = Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, files[value] ?? value] as const),
    );

    const { kafka } = loadConfig({
      env: { INSTAGRAM_ACCESS_TOKEN: 'token', ...present },
      args: {},
    });

    expect(kafka.securityProtocol).toBe(env['KAFKA_SECURITY_PROTOCOL']);
  });
});
