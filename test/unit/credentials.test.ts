import { generateKeyPairSync, verify } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import {
  kafkaSecurity,
  controlTokenOf,
  registryAccess,
  secretsOfConfig,
  webhookOf,
  webhookReceiverOf,
} from '../../src/credentials.ts';
import { startHttpServer } from '../support/http-server.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'credentials-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function configOf(changes: Readonly<Record<string, string>>) {
  const env = {
    INSTAGRAM_ACCESS_TOKEN: 'the-token',
    KAFKA_BROKERS: 'a:1',
    SCHEMA_REGISTRY_URL: 'https://registry',
    ...changes,
  };
  return loadConfig({ env, args: {} });
}

const basicOf = (pair: string) => Buffer.from(pair).toString('base64');

describe('credentials', () => {
  test('are all registered as secrets, also in their HTTP encoding', () => {
    const config = configOf({
      KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
      KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
      KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: 'https://login',
      KAFKA_SASL_OAUTHBEARER_CLIENT_ID: 'id',
      KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET: 'client-secret',
      SCHEMA_REGISTRY_USERNAME: 'me',
      SCHEMA_REGISTRY_PASSWORD: 'registry-password',
    });
    expect(new Set(secretsOfConfig(config))).toEqual(
      new Set([
        'the-token',
        'client-secret',
        basicOf('id:client-secret'),
        'registry-password',
        basicOf('me:registry-password'),
      ]),
    );
  });

  test('sign with the current key of its file', async () => {
    const made = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const [first, second] = [made(), made()];
    const pem = ({ privateKey }: typeof first) =>
      privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const assertions: string[] = [];
    await using endpoint = await startHttpServer((_request, response, raw) => {
      void text(raw).then((form) => {
        assertions.push(new URLSearchParams(form).get('client_assertion') ?? '');
        // Its lifetime is over before the next login.
        response.end(JSON.stringify({ access_token: 'token', expires_in: 1e-6 }));
      });
    });
    const { kafka } = configOf({
      KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
      KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
      KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: endpoint.url,
      KAFKA_SASL_OAUTHBEARER_CLIENT_ID: 'id',
      KAFKA_SASL_OAUTHBEARER_CLIENT_AUTHENTICATION: 'private_key_jwt',
      KAFKA_SASL_OAUTHBEARER_KEY_LOCATION: write('key', pem(first)),
      KAFKA_SASL_OAUTHBEARER_KEY_ALGORITHM: 'ES256',
    });
    const { sasl } = kafkaSecurity(kafka, () => undefined);
    if (sasl?.mechanism !== 'OAUTHBEARER') throw new Error('no login by token');

    await sasl.token();
    write('key', pem(second));
    await sasl.token();

    const isSignedBy = ({ publicKey }: typeof first, assertion = '') => {
      const [header, payload, signature = ''] = assertion.split('.');
      const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
      const bytes = Buffer.from(signature, 'base64url');
      return verify('sha256', Buffer.from(`${header}.${payload}`), key, bytes);
    };
    expect(assertions.map((one) => [isSignedBy(first, one), isSignedBy(second, one)])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  test('select AWS_MSK_IAM, whose principal only AWS knows', () => {
    const { kafka } = configOf({
      KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
      KAFKA_SASL_MECHANISM: 'AWS_MSK_IAM',
      KAFKA_SASL_AWS_MSK_IAM_REGION: 'eu-west-1',
    });
    const security = kafkaSecurity(kafka, () => undefined);

    expect(security.sasl?.mechanism).toBe('AWS_MSK_IAM');
    expect(security.principal()).toBe('User:<the IAM identity>');
  });

  test('are read again from their file and registered as secrets', () => {
    const file = write('password', 'first\n');
    const { kafka } = configOf({
      KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
      KAFKA_SASL_MECHANISM: 'PLAIN',
      KAFKA_SASL_USERNAME: 'alice',
      KAFKA_SASL_PASSWORD_FILE: file,
    });
    const hidden: string[] = [];
    const { sasl } = kafkaSecurity(kafka, (secrets) => hidden.push(...secrets));
    if (sasl?.mechanism !== 'PLAIN') throw new Error('no login by password');

    expect(sasl.password()).toBe('first');
    write('password', 'second\n');
    expect(sasl.password()).toBe('second');
    unlinkSync(file);
    expect(sasl.password()).toBe('second');
    expect(hidden).toEqual(['second']);
  });

  test('are read again for the control token, unless the new token is too short', () => {
    const file = write('order', 'the first of 16 or more\n'.replaceAll(' ', '-'));
    const { http } = configOf({ HTTP_TOKEN_FILE: file });
    const hidden: string[] = [];
    const token = controlTokenOf(http, (secrets) => hidden.push(...secrets));

    expect(token?.()).toBe('the-first-of-16-or-more');
    write('order', 'short');
    expect(token?.()).toBe('the-first-of-16-or-more');
    write('order', 'the-second-of-16-or-more');
    expect(token?.()).toBe('the-second-of-16-or-more');
    expect(hidden).toContain('the-second-of-16-or-more');
    expect(controlTokenOf({ ...http, token: null }, () => undefined)).toBeNull();
  });

  test('are read again for the webhook, unless the new URL is invalid, and hide its path', () => {
    const file = write('webhook', 'https://hooks.example.com/services/first');
    const { notifications } = configOf({
      NOTIFICATIONS_ENABLED: 'true',
      NOTIFICATIONS_WEBHOOK_URL_FILE: file,
    });
    const hidden: string[] = [];
    const webhook = webhookOf(notifications, (secrets) => hidden.push(...secrets));

    write('webhook', 'http://hooks.example.com/services/plain');
    expect(webhook?.url()).toBe('https://hooks.example.com/services/first');
    write('webhook', 'https://hooks.example.com/services/second');
    expect(webhook?.url()).toBe('https://hooks.example.com/services/second');
    expect(hidden).toContain('/services/second');
  });

  test('are read again for the verify token of webhooks, which are off without a port', () => {
    const file = write('verify', 'the-first-verify-token');
    const secrets = {
      WEBHOOK_RECEIVER_VERIFY_TOKEN_FILE: file,
      INSTAGRAM_CLIENT_SECRET: 'app-secret',
    };
    const hidden: string[] = [];
    const settingsOf = (env: Record<string, string>) =>
      webhookReceiverOf(configOf({ ...secrets, ...env }), (texts) => hidden.push(...texts));
    expect(settingsOf({})).toBeNull();

    const settings = settingsOf({ WEBHOOK_RECEIVER_PORT: '8081' });
    expect(settings).toMatchObject({ port: 8081, host: '127.0.0.1' });
    expect(settings?.appSecret()).toBe('app-secret');
    write('verify', 'the-second-verify-token');
    expect(settings?.verifyToken()).toBe('the-second-verify-token');
    write('verify', 'short');
    expect(settings?.verifyToken()).toBe('the-second-verify-token');
    expect(hidden).toContain('the-second-verify-token');
  });

  test('are read again for the registry and registered as secrets in their HTTP encoding', () => {
    const { schemaRegistry } = configOf({
      SCHEMA_REGISTRY_USERNAME: 'me',
      SCHEMA_REGISTRY_PASSWORD_FILE: write('password', 'first'),
    });
    const hidden: string[] = [];
    const { login } = registryAccess(schemaRegistry, (secrets) => hidden.push(...secrets));
    if (login.kind !== 'basic') throw new Error('no login by password');

    write('password', 'second');
    expect(login.password()).toBe('second');
    expect(hidden).toEqual(['second', basicOf('me:second')]);
  });

  test('include the certificate authority, which is read again from its file', () => {
    const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n`;
    const { kafka } = configOf({
      KAFKA_SECURITY_PROTOCOL: 'SSL',
      KAFKA_SSL_CA_LOCATION: write('ca', pem('first')),
    });
    const { tls, sasl } = kafkaSecurity(kafka, () => undefined);

    expect([tls?.(), sasl]).toEqual([{ ca: pem('first') }, null]);
    write('ca', pem('second'));
    expect(tls?.()).toEqual({ ca: pem('second') });
  });
});
