import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';

/** Parses the first certificate of a PEM file; returns the reason when that fails. */
export function openCertificate(pem: string): X509Certificate | string {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    return `a certificate that cannot be parsed (${code})`;
  }
}

/** Opens a private key; returns the reason when that fails. */
export function openKey(
  pem: string,
  passphrase: string | null,
  passwordPath: string,
): KeyObject | string {
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== null && { passphrase }) });
  } catch {
    const reason =
      passphrase === null
        ? `encrypted without ${passwordPath}`
        : `${passwordPath} is not its password`;
    return `a private key that cannot be parsed (damaged, or ${reason})`;
  }
}
