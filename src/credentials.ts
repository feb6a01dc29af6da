import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config, KafkaConfig, SchemaRegistryConfig, TlsConfig } from './config/config.ts';
import { parseTokens, type Secret } from './config/named-formats.ts';
import { controlToken } from './config/schema.ts';
import { StopProcessError } from './engine/errors.ts';
import type { TlsMaterial } from './engine/tls.ts';
import { secretsOf } from './instagram/api/redaction.ts';
import type { KafkaSasl, KafkaSecurity } from './kafka/index.ts';
import { createOauthTokens, type OauthTokens } from './kafka/oauth-tokens.ts';
import type { RegistryLogin } from './registry/index.ts';

/** Registers texts that logs and pages must redact from now on. */
type Hide = (secrets: readonly string[]) => void;

/** All secrets of the configuration, to be redacted everywhere. */
export function secretsOfConfig({
  instagram,
  kafka,
  schemaRegistry,
  http,
}: Config): readonly string[] {
  const { username, password } = schemaRegistry;
  const others = [
    password,
    schemaRegistry.bearerToken,
    schemaRegistry.ssl.keyPassword,
    kafka.ssl.keyPassword,
    kafka.sasl.password,
    kafka.sasl.oauthbearer.clientSecret,
    http.token,
  ].flatMap((secret) => (secret === null ? [] : [secret.text]));
  const pairs = [
    ...(username === null || password === null ? [] : [basic(username, password.text)]),
    ...oauthPair(kafka),
  ];
  const ofTheApi = secretsOf(instagram.accessTokens, instagram.clientSecret);
  return [...ofTheApi, ...others, ...pairs];
}

function oauthPair({ sasl: { oauthbearer } }: KafkaConfig): readonly string[] {
  const { clientId, clientSecret } = oauthbearer;
  return clientId === null || clientSecret === null ? [] : [basic(clientId, clientSecret.text)];
}

/** Encodes a name and a secret as HTTP basic authentication does. */
function basic(name: string, secret: string): string {
  return Buffer.from(`${name}:${secret}`, 'utf8').toString('base64');
}

/** The file of the tokens, from which renewed tokens are loaded without a restart. */
export function tokenFileOf(
  { instagram }: Config,
  hide: Hide,
  warn: (fields: { readonly reason: string }, message: string) => void,
) {
  const path = instagram.accessTokenFile;
  if (path === null) return {};
  return {
    tokenFile: {
      path,
      parse: parseTokens,
      onRenewed: (tokens: readonly string[]) => {
        hide(secretsOf(tokens, instagram.clientSecret));
      },
      onTrouble: (reason: string) => {
        warn({ reason }, 'token file invalid');
      },
    },
  };
}

/** The TLS material and login for the brokers; files are read again for each use. */
export function kafkaSecurity(kafka: KafkaConfig, hide: Hide): KafkaSecurity {
  const { securityProtocol: protocol, ssl } = kafka;
  const tls = protocol.endsWith('SSL') ? createTls('KAFKA', ssl, hide) : null;
  const oauth = kafka.sasl.mechanism === 'OAUTHBEARER' ? oauthTokens(kafka, hide) : undefined;
  const sasl = protocol.startsWith('SASL_') ? saslOf(kafka, oauth, hide) : null;
  return { tls, sasl, principal: () => `User:${nameOf(kafka, oauth)}` };
}

function saslOf(kafka: KafkaConfig, oauth: OauthTokens | undefined, hide: Hide): KafkaSasl | null {
  const { mechanism, username, password } = kafka.sasl;
  if (oauth !== undefined) return { mechanism: 'OAUTHBEARER', token: () => oauth.token() };
  if (mechanism === null || mechanism === 'OAUTHBEARER') return null;
  return { mechanism, username: username ?? '', password: secretReader(password, hide) };
}

function oauthTokens(kafka: KafkaConfig, hide: Hide): OauthTokens {
  const { tokenEndpointUrl, clientId, clientSecret, scope, extensions } = kafka.sasl.oauthbearer;
  return createOauthTokens({
    tokenEndpointUrl: tokenEndpointUrl ?? '',
    clientId: clientId ?? '',
    clientSecret: secretReader(clientSecret, (secrets) => {
      hide([...secrets, ...secrets.map((secret) => basic(clientId ?? '', secret))]);
    }),
    scope,
    extensions: Object.fromEntries(
      extensions.map((pair) => {
        const separator = pair.indexOf('=');
        return [pair.slice(0, separator), pair.slice(separator + 1)];
      }),
    ),
    timeoutMs: kafka.connectionTimeoutMs,
    onToken: (token) => {
      hide([token]);
    },
  });
}

/** The principal that the brokers derive from the login, by their default naming rules. */
function nameOf({ sasl, ssl, securityProtocol }: KafkaConfig, oauth?: OauthTokens): string {
  if (oauth !== undefined) return oauth.subject() ?? '<the subject of the token>';
  if (securityProtocol.startsWith('SASL_')) return sasl.username ?? '';
  const file = securityProtocol === 'SSL' ? ssl.certificateLocation : null;
  return file === null ? 'ANONYMOUS' : distinguishedName(readFileSync(file, 'utf8'));
}

/** The distinguished name in Java's notation (RFC 2253): the reverse of the certificate's order. */
function distinguishedName(pem: string): string {
  const parts = new X509Certificate(pem).subject.split('\n').filter(Boolean);
  return parts.reverse().join(',');
}

/** Returns the current token of control requests; null disables the control API. */
export function controlTokenOf({ token }: Config['http'], hide: Hide): (() => string) | null {
  if (token === null) return null;
  const read = secretReader(token, hide);
  let last = token.text;
  return () => {
    const current = read();
    if (controlToken.test(current)) last = current;
    return last;
  };
}

/** The registry's address, TLS material, login and registration rules. */
export function registryAccess(registry: SchemaRegistryConfig, hide: Hide) {
  const { url, timeoutMs, compatibility, mode, ssl } = registry;
  const tls = url.startsWith('https:') ? createTls('SCHEMA_REGISTRY', ssl, hide) : null;
  return { url, timeoutMs, compatibility, mode, tls, login: loginOf(registry, hide) };
}

function loginOf(
  { username, password, bearerToken }: SchemaRegistryConfig,
  hide: Hide,
): RegistryLogin {
  if (bearerToken !== null) return { kind: 'bearer', token: secretReader(bearerToken, hide) };
  if (username === null) return { kind: 'none' };
  const hidePair: Hide = (secrets) => {
    hide([...secrets, ...secrets.map((secret) => basic(username, secret))]);
  };
  return { kind: 'basic', username, password: secretReader(password, hidePair) };
}

/**
 * Returns a function that reads the secret's file; while the file is unreadable, it returns the
 * last value.
 */
function secretReader(secret: Secret | null, hide: Hide): () => string {
  let last = secret?.text ?? '';
  const file = secret?.file ?? null;
  if (file === null) return () => last;
  return () => {
    const current = readOr(file, last).replace(/\r?\n$/, '');
    if (current === last || current === '') return last;
    hide([current]);
    return (last = current);
  };
}

function readOr(file: string, last: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return last;
  }
}

function createTls(prefix: string, ssl: TlsConfig & { serverName?: string | null }, hide: Hide) {
  const password = ssl.keyPassword === null ? undefined : secretReader(ssl.keyPassword, hide);
  const ca = pemReader(`${prefix}_SSL_CA_LOCATION`, ssl.caLocation);
  const cert = pemReader(`${prefix}_SSL_CERTIFICATE_LOCATION`, ssl.certificateLocation);
  const key = pemReader(`${prefix}_SSL_KEY_LOCATION`, ssl.keyLocation);
  const servername = ssl.serverName ?? null;
  return (): TlsMaterial => ({
    ...(ca && { ca: ca() }),
    ...(cert && { cert: cert() }),
    ...(key && { key: key() }),
    ...(password && { passphrase: password() }),
    ...(servername !== null && { servername }),
  });
}

/**
 * Returns a function that reads the file; while the file is unreadable, it returns the last
 * content.
 */
function pemReader(name: string, file: string | null): (() => string) | undefined {
  if (file === null) return undefined;
  let last = '';
  return () => {
    last = readOr(file, last);
    if (last !== '') return last;
    throw new StopProcessError('config.invalid', `the file of ${name} cannot be read any more`, {
      exitCode: 2,
    });
  };
}
