import type { KeyObject, X509Certificate } from 'node:crypto';
import type { ConfigProblem } from './config-error.ts';
import { type GetValue, finding, isSet, oauthbearer, unused } from './finding.ts';
import type { Secret } from './named-formats.ts';
import { openCertificate, openKey } from './pem.ts';
import { readTextFile } from './text-file.ts';

/** The elliptic curve, as OpenSSL names it, of each algorithm that needs one. */
const curves: Readonly<Record<string, string>> = {
  ES256: 'prime256v1',
  ES384: 'secp384r1',
  ES512: 'secp521r1',
};

/** The problem of a signing key that cannot be opened, or is of another kind than the algorithm. */
export function signingKeyFindings(get: GetValue): readonly ConfigProblem[] {
  const path = `${oauthbearer}.keyLocation`;
  const file = get(path);
  const algorithm = get(`${oauthbearer}.keyAlgorithm`);
  if (typeof file !== 'string' || typeof algorithm !== 'string') return [];
  const secret = get(`${oauthbearer}.keyPassword`) as Secret | null | undefined;
  const received = whyNoSigner(file, secret?.text ?? null, algorithm);
  const curve = curves[algorithm];
  const kind = curve === undefined ? 'a private RSA key' : `a private key on the curve ${curve}`;
  const expected = `${kind}, because KAFKA_SASL_OAUTHBEARER_KEY_ALGORITHM is ${algorithm}`;
  const action = 'correct the file, its password or the algorithm';
  return received === undefined ? [] : [finding(path, received, expected, action)];
}

function whyNoSigner(
  file: string,
  passphrase: string | null,
  algorithm: string,
): string | undefined {
  const text = readTextFile(file);
  // An unreadable file is rejected by the field's own format.
  if (!text.ok) return undefined;
  const key = openKey(text.text, passphrase, `${oauthbearer}.keyPassword`);
  if (typeof key === 'string') return key;
  const type = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType;
  return type === (curves[algorithm] ?? 'rsa') ? undefined : `a key of the type ${type}`;
}

const tlsFields = ['caLocation', 'certificateLocation', 'keyLocation', 'keyPassword', 'serverName'];

/** The TLS settings of a connection without TLS; `how` enables it. */
export function tlsFindings(get: GetValue, group: string, how: string): readonly ConfigProblem[] {
  const set = tlsFields.map((name) => `${group}.${name}`).filter((path) => isSet(get(path)));
  const expected = 'nothing, because the connection has no TLS';
  return set.map((path) => finding(path, unused, expected, `${how}, or remove it`));
}

/** The problems of a client's certificate and key that are incomplete, unreadable or no pair. */
export function keyFindings(get: GetValue, group: string): readonly ConfigProblem[] {
  const certificate = get(`${group}.certificateLocation`);
  const path = `${group}.keyLocation`;
  const key = get(path);
  const secret = get(`${group}.keyPassword`) as Secret | null | undefined;
  if (isSet(key) !== isSet(certificate)) {
    const received = `only one of ${group}.certificateLocation and ${path}`;
    return [finding(path, received, 'both or neither', 'set both, or remove both')];
  }
  if (isSet(key)) return pairFindings(group, [certificate, key], secret?.text ?? null);
  if (!isSet(secret)) return [];
  const action = 'remove it, or set the key that it is for';
  return [finding(`${group}.keyPassword`, 'a password without a private key', 'nothing', action)];
}

function pairFindings(
  group: string,
  files: readonly [certificate: unknown, key: unknown],
  passphrase: string | null,
): readonly ConfigProblem[] {
  const [certificateFile, keyFile] = files.map((file) => readTextFile(String(file)));
  // Unreadable files are rejected by the fields' own formats.
  if (certificateFile?.ok !== true || keyFile?.ok !== true) return [];
  const certificate = openCertificate(certificateFile.text);
  const key = openKey(keyFile.text, passphrase, `${group}.keyPassword`);
  return [
    ...certificateFindings(group, certificate),
    ...privateKeyFindings(group, key, certificate),
  ];
}

function certificateFindings(group: string, certificate: X509Certificate | string) {
  if (typeof certificate !== 'string') return [];
  const expected = "the client's certificate, with those of intermediate authorities";
  return [finding(`${group}.certificateLocation`, certificate, expected, 'correct the file')];
}

function privateKeyFindings(
  group: string,
  key: KeyObject | string,
  certificate: X509Certificate | string,
) {
  const fits =
    typeof key !== 'string' &&
    (typeof certificate === 'string' || certificate.checkPrivateKey(key));
  if (fits) return [];
  const received = typeof key === 'string' ? key : 'the key of another certificate';
  const expected = "the private key of the client's certificate";
  const action = 'correct the file, or the password that it is encrypted with';
  return [finding(`${group}.keyLocation`, received, expected, action)];
}
