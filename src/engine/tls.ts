/** The PEM texts of a TLS client; read anew for each connection. */
export interface TlsMaterial {
  /** The authorities that are trusted in place of the platform's own. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  /** The name that the server's certificate must have. */
  readonly servername?: string;
}

const untrusted =
  /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_(?:UNTRUSTED|SIGNATURE|CHAIN|REJECTED)|INVALID_CA)/;
const ofTls = /^(?:CERT_|INVALID_PURPOSE|HOSTNAME_MISMATCH|ERR_TLS_|ERR_SSL_|EPROTO$)/;

/** The platform's code of an error, as `ECONNREFUSED`. */
export function codeOf(error: unknown): string | undefined {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error;
  return isCoded && typeof error.code === 'string' ? error.code : undefined;
}

/** True for the code of a connection error that TLS itself caused. */
export function isTlsCode(code: string | undefined): boolean {
  return code !== undefined && (untrusted.test(code) || ofTls.test(code));
}

/**
 * The advice for a failed handshake. The variables begin with `prefix` (`KAFKA`,
 * `SCHEMA_REGISTRY`); the platform's message is the only source of the peer's TLS alert.
 */
export function tlsAdvice(prefix: string, code: string, message: string): string {
  if (untrusted.test(code)) {
    return `set ${prefix}_SSL_CA_LOCATION to the PEM file of the authority that signed its certificate`;
  }
  if (/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)/.test(code)) {
    return "renew its certificate, or correct this machine's clock";
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') {
    const other =
      prefix === 'KAFKA' ? ', or set KAFKA_SSL_SERVER_NAME to the name that it has' : '';
    return `reach it by a name that its certificate has${other}`;
  }
  if (/alert/i.test(message)) {
    return `it refused this client: check ${prefix}_SSL_CERTIFICATE_LOCATION and ${prefix}_SSL_KEY_LOCATION`;
  }
  return 'check that this port speaks TLS';
}
