import { RetryError, StopProcessError } from '../../engine/errors.ts';
import type { IssuedToken } from './tokens.ts';

/** The login at Amazon MSK by an IAM identity. */
export interface MskIam {
  readonly region: string;
  /** The role to assume; null for the identity of AWS's default credential chain. */
  readonly roleArn: string | null;
  readonly timeoutMs: number;
}

/**
 * Signs a token, a presigned URL of 15 minutes, with the credentials that AWS's default chain finds.
 * @throws RetryError `kafka.unavailable` without credentials, StopProcessError
 * `kafka.unauthenticated` when AWS denies the role
 */
export async function requestMskToken(options: MskIam): Promise<IssuedToken> {
  const signing = signToken(options);
  // The SDK takes no signal. A late failure has no other handler.
  signing.catch(() => undefined);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const timedOut = new Promise<never>((_resolve, reject) => {
    timeout.addEventListener('abort', () => {
      reject(new Error(`nothing within ${options.timeoutMs} ms`));
    });
  });
  return Promise.race([signing, timedOut]).catch((error: unknown) => {
    throw errorOf(error as Error, options);
  });
}

async function signToken({ region, roleArn }: MskIam): Promise<IssuedToken> {
  // The AWS SDK takes 12 MB of memory: it is loaded for this login only.
  const signer = await import('aws-msk-iam-sasl-signer-js');
  const { token, expiryTime } = await (roleArn === null
    ? signer.generateAuthToken({ region })
    : signer.generateAuthTokenFromRole({
        region,
        awsRoleArn: roleArn,
        awsRoleSessionName: 'instagram-kafka-producer',
      }));
  return { value: token, lifeMs: expiryTime - Date.now() };
}

const denied = /^(?:AccessDenied|InvalidClientTokenId|SignatureDoesNotMatch|ValidationError)/;

function errorOf(error: Error, { region, roleArn }: MskIam): Error {
  const reason = `${error.name}: ${error.message.replaceAll(/\s+/g, ' ').slice(0, 300)}`;
  if (roleArn !== null && denied.test(error.name)) {
    return new StopProcessError(
      'kafka.unauthenticated',
      `No token for Amazon MSK: AWS rejected the role ${roleArn} (${reason}). Check ` +
        "KAFKA_SASL_AWS_MSK_IAM_ROLE_ARN, and that the role's trust policy allows this identity " +
        'sts:AssumeRole.',
      { exitCode: 3 },
    );
  }
  return new RetryError(
    'kafka.unavailable',
    `No token for Amazon MSK in ${region} (${reason}). Give the program credentials of AWS: a role ` +
      'of the pod, task or machine, a profile, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY.',
  );
}
