import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Problem } from './config-error.ts';
import type { PlacedLeaf } from './leaf.ts';
import { readTextFile } from './text-file.ts';

type Get = (path: string) => unknown;

/** What is wrong with one field, seen with the others. */
type Finding = Omit<Problem, 'env'>;

const password = ['kafka.sasl.username', 'kafka.sasl.password'] as const;
const oauth = [
  'kafka.sasl.oauthbearer.tokenEndpointUrl',
  'kafka.sasl.oauthbearer.clientId',
  'kafka.sasl.oauthbearer.clientSecret',
] as const;
const oauthOptional = [
  'kafka.sasl.oauthbearer.scope',
  'kafka.sasl.oauthbearer.extensions',
] as const;

function isSet(value: unknown): boolean {
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
}

/** A value that was refused by itself is taken for one that is right. */
function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function mechanismFindings(get: Get): readonly Finding[] {
  const protocol = String(get('kafka.securityProtocol'));
  const mechanism = get('kafka.sasl.mechanism');
  if (protocol.startsWith('SASL_') === isSet(mechanism)) return [];
  const path = isSet(mechanism) ? 'kafka.securityProtocol' : 'kafka.sasl.mechanism';
  return [
    isSet(mechanism)
      ? {
          path,
          came: `${protocol}, which has no login, and a SASL mechanism`,
          expected: 'SASL_SSL or SASL_PLAINTEXT',
          action: 'set KAFKA_SECURITY_PROTOCOL=SASL_SSL, or remove KAFKA_SASL_MECHANISM',
        }
      : {
          path,
          came: `nothing, and the protocol ${protocol}, which needs a login`,
          expected: 'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER',
          action: 'set KAFKA_SASL_MECHANISM',
        },
  ];
}

function loginFindings(get: Get): readonly Finding[] {
  const mechanism = get('kafka.sasl.mechanism');
  const isOauth = mechanism === 'OAUTHBEARER';
  const needed: readonly string[] = isOauth ? oauth : isSet(mechanism) ? password : [];
  const useless = [
    ...(isOauth ? [] : [...oauth, ...oauthOptional]),
    ...(isOauth || !isSet(mechanism) ? password : []),
  ];
  const missing = needed
    .filter((path) => get(path) === null)
    .map((path) => ({
      path,
      came: 'nothing',
      expected: `a value, because KAFKA_SASL_MECHANISM is ${String(mechanism)}`,
      action: 'set it, or choose another mechanism',
    }));
  const idle = useless
    .filter((path) => isSet(get(path)))
    .map((path) => ({
      path,
      came: 'a value that would not be used',
      expected: `nothing, because KAFKA_SASL_MECHANISM is ${isSet(mechanism) ? String(mechanism) : 'not set'}`,
      action: 'remove it, or set the mechanism that uses it',
    }));
  return [...missing, ...idle];
}

const tlsFields = ['caLocation', 'certificateLocation', 'keyLocation', 'keyPassword', 'serverName'];

/** @param at - the group, and what switches TLS on */
function tlsFindings(
  get: Get,
  at: { readonly group: string; readonly on: boolean; readonly how: string },
): readonly Finding[] {
  const set = tlsFields.map((name) => `${at.group}.${name}`).filter((path) => isSet(get(path)));
  if (!at.on) {
    return set.map((path) => ({
      path,
      came: 'a value that would not be used',
      expected: 'nothing, because the connection has no TLS',
      action: `${at.how}, or remove it`,
    }));
  }
  return keyFindings(get, at.group);
}

function keyFindings(get: Get, group: string): readonly Finding[] {
  const certificate = get(`${group}.certificateLocation`);
  const key = get(`${group}.keyLocation`);
  const secret = get(`${group}.keyPassword`);
  const path = `${group}.keyLocation`;
  if (isSet(key) !== isSet(certificate)) {
    return [
      {
        path,
        came: 'one of certificate and private key',
        expected: 'both or neither',
        action: 'set both, or remove both',
      },
    ];
  }
  if (isSet(key)) {
    const came = whyNotAPair(String(certificate), String(key), secret as string | null);
    const expected = "the private key of the client's certificate";
    const action = 'correct the file, or the password that it is encrypted with';
    return came === undefined ? [] : [{ path, came, expected, action }];
  }
  if (!isSet(secret)) return [];
  return [
    {
      path: `${group}.keyPassword`,
      came: 'a password without a private key',
      expected: 'nothing',
      action: 'remove it, or set the key that it is for',
    },
  ];
}

function whyNotAPair(
  certificateFile: string,
  keyFile: string,
  passphrase: string | null,
): string | undefined {
  const certificate = readTextFile(certificateFile);
  const key = readTextFile(keyFile);
  // Files that cannot be read are refused by the fields' own formats.
  if (!certificate.ok || !key.ok) return undefined;
  try {
    const opened = createPrivateKey({ key: key.text, ...(passphrase !== null && { passphrase }) });
    const fits = new X509Certificate(certificate.text).checkPrivateKey(opened);
    return fits ? undefined : 'the key of another certificate';
  } catch {
    return passphrase === null
      ? 'a key that cannot be read without a password'
      : 'a key that this password does not open';
  }
}

function registryFindings(get: Get): readonly Finding[] {
  if (!isSet(get('schemaRegistry.bearerToken')) || !isSet(get('schemaRegistry.username'))) {
    return [];
  }
  return [
    {
      path: 'schemaRegistry.bearerToken',
      came: 'a token beside a user name',
      expected: 'one way to log in',
      action: 'remove SCHEMA_REGISTRY_BEARER_TOKEN, or SCHEMA_REGISTRY_USERNAME and its password',
    },
  ];
}

/** What does not fit together among the fields of TLS and logins. */
export function securityProblems(
  values: ReadonlyMap<string, unknown>,
  leaves: readonly PlacedLeaf[],
): readonly Problem[] {
  // A field that was refused by itself is told of already.
  const get: Get = (path) => (values.has(path) ? values.get(path) : undefined);
  const findings = [
    ...(values.has('kafka.securityProtocol') && values.has('kafka.sasl.mechanism')
      ? [...mechanismFindings(get), ...loginFindings(get)]
      : []),
    ...tlsFindings(get, {
      group: 'kafka.ssl',
      on: textOf(get('kafka.securityProtocol'), 'SSL').endsWith('SSL'),
      how: 'set KAFKA_SECURITY_PROTOCOL=SSL or SASL_SSL',
    }),
    ...tlsFindings(get, {
      group: 'schemaRegistry.ssl',
      on: textOf(get('schemaRegistry.url'), 'https:').startsWith('https:'),
      how: 'let SCHEMA_REGISTRY_URL begin with https://',
    }),
    ...registryFindings(get),
  ];
  return findings.map((finding) => ({
    ...finding,
    env: leaves.find(({ path }) => path === finding.path)?.env ?? null,
  }));
}
