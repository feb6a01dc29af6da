import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { requestMskToken } from '../../../../src/kafka/sasl/msk-iam.ts';
import { startHttpServer } from '../../../support/http-server.ts';

const region = 'eu-west-1';
const secretKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
/** The only credentials that AWS's chain may find here. */
const credentials = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: secretKey,
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
};

let before: NodeJS.ProcessEnv;
beforeEach(() => {
  before = { ...process.env };
  Object.assign(process.env, credentials);
});
afterEach(() => {
  for (const name of Object.keys(process.env)) {
    if (!(name in before)) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, before);
});

function withoutCredentials(): void {
  delete process.env['AWS_ACCESS_KEY_ID'];
  delete process.env['AWS_SECRET_ACCESS_KEY'];
}

const roleArn = 'arn:aws:iam::123456789012:role/kafka';

const optionsOf = (changes = {}) => ({ region, roleArn: null, timeoutMs: 10_000, ...changes });

const hmac = (key: string | Buffer, text: string) =>
  createHmac('sha256', key).update(text).digest();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** The signature of a presigned URL by AWS's Signature Version 4, computed anew. */
function signatureOf({ host, searchParams }: URL): string {
  const query = [...searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature' && name !== 'User-Agent')
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .sort()
    .join('&');
  const request = ['GET', '/', query, `host:${host}`, '', 'host', sha256('')].join('\n');
  const time = searchParams.get('X-Amz-Date') ?? '';
  const [, day = '', ...scope] = (searchParams.get('X-Amz-Credential') ?? '').split('/');
  const text = ['AWS4-HMAC-SHA256', time, [day, ...scope].join('/'), sha256(request)].join('\n');
  const key = scope.reduce((signing, part) => hmac(signing, part), hmac(`AWS4${secretKey}`, day));
  return hmac(key, text).toString('hex');
}

describe('a token for Amazon MSK', () => {
  test('is a presigned URL of 15 minutes that allows the connection, signed by the credentials', async () => {
    const { value, lifeMs } = await requestMskToken(optionsOf());

    expect(value).toMatch(/^[\w-]+$/);
    const url = new URL(Buffer.from(value, 'base64url').toString('utf8'));
    expect(url.origin).toBe(`https://kafka.${region}.amazonaws.com`);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      Action: 'kafka-cluster:Connect',
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': expect.stringMatching(
        /^AKIDEXAMPLE\/\d{8}\/eu-west-1\/kafka-cluster\/aws4_request$/,
      ),
      'X-Amz-Expires': '900',
      'X-Amz-SignedHeaders': 'host',
    });
    expect(url.searchParams.get('X-Amz-Signature')).toBe(signatureOf(url));
    expect(lifeMs).toBeGreaterThan(890_000);
    expect(lifeMs).toBeLessThanOrEqual(900_000);
  });

  test('is requested again later when there are no credentials', async () => {
    withoutCredentials();

    await expect(requestMskToken(optionsOf())).rejects.toMatchObject({
      disposition: 'retry',
      code: 'kafka.unavailable',
      message: expect.stringMatching(
        /^No token for Amazon MSK in eu-west-1 \(CredentialsProviderError: .+\)\. Give the program credentials of AWS/,
      ),
    });
  });

  test('is requested again later when the credentials do not come in time', async () => {
    withoutCredentials();
    await using silent = await startHttpServer(() => undefined);
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `${silent.url}/credentials`;

    await expect(requestMskToken(optionsOf({ timeoutMs: 200 }))).rejects.toMatchObject({
      code: 'kafka.unavailable',
      message: expect.stringMatching(/nothing within 200 ms/),
    });
  });

  test('is signed by the role that AWS lets the credentials assume', async () => {
    await using sts = await startHttpServer((_request, response) => {
      response.setHeader('content-type', 'text/xml');
      response.end(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
        <Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>${secretKey}</SecretAccessKey>
        <SessionToken>session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
        <AssumedRoleUser><AssumedRoleId>A:s</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/kafka/s</Arn></AssumedRoleUser>
        </AssumeRoleResult></AssumeRoleResponse>`);
    });
    process.env['AWS_ENDPOINT_URL_STS'] = sts.url;

    const { value } = await requestMskToken(optionsOf({ roleArn }));

    const { searchParams } = new URL(Buffer.from(value, 'base64url').toString('utf8'));
    expect(searchParams.get('X-Amz-Credential')).toMatch(/^ASIAROLE\//);
    expect(searchParams.get('X-Amz-Security-Token')).toBe('session');
  });

  test('ends the process with 3 when AWS denies the role', async () => {
    await using sts = await startHttpServer((_request, response) => {
      response.writeHead(403, { 'content-type': 'text/xml' });
      response.end(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
        <Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>`);
    });
    process.env['AWS_ENDPOINT_URL_STS'] = sts.url;

    await expect(requestMskToken(optionsOf({ roleArn }))).rejects.toMatchObject({
      code: 'kafka.unauthenticated',
      exitCode: 3,
      message: expect.stringMatching(
        /AWS rejected the role arn:aws:iam::123456789012:role\/kafka \(AccessDenied.*KAFKA_SASL_AWS_MSK_IAM_ROLE_ARN/,
      ),
    });
  });
});
