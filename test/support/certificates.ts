import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** PEM files of a test's own, made by openssl. */
export interface Certificates {
  readonly ca: string;
  /** An authority that has signed nothing here. */
  readonly otherCa: string;
  /** For 127.0.0.1 and localhost. */
  readonly server: Pair;
  /** Of the subject `O=Test, CN=producer`. */
  readonly client: Pair;
  /** The client's key, encrypted. */
  readonly encryptedKey: string;
}

/** A certificate and its key, and both in one file as Kafka wants them. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const;

/** Makes them in a folder; a second or less. */
export async function makeCertificates(folder: string, password: string): Promise<Certificates> {
  const at = (name: string) => join(folder, name);
  const [ca, otherCa] = await Promise.all([makeAuthority(at('ca')), makeAuthority(at('other'))]);
  const [server, client] = await Promise.all([
    sign({ ca: at('ca'), name: at('server'), subject: '/CN=broker' }),
    sign({ ca: at('ca'), name: at('client'), subject: '/O=Test/CN=producer' }),
  ]);
  const encryptedKey = at('client-encrypted.key');
  const from = ['-in', client.key, '-topk8', '-out', encryptedKey];
  await run('openssl', ['pkcs8', ...from, '-v2', 'aes-256-cbc', '-passout', `pass:${password}`]);
  return { ca, otherCa, server, client, encryptedKey };
}

async function makeAuthority(name: string): Promise<string> {
  const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
  await run('openssl', ['req', '-x509', ...newKey, ...files, '-days', '2', '-subj', '/CN=Test CA']);
  return `${name}.pem`;
}

async function sign(what: {
  readonly ca: string;
  readonly name: string;
  readonly subject: string;
}): Promise<Pair> {
  const { ca, name, subject } = what;
  const key = `${name}.key`;
  const certificate = `${name}.pem`;
  const files = ['-keyout', key, '-out', certificate];
  const by = ['-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-days', '2', '-subj', subject];
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  await run('openssl', ['req', '-x509', ...newKey, ...files, ...by, ...names]);
  const both = `${name}-both.pem`;
  await writeFile(both, `${await readFile(key, 'utf8')}${await readFile(certificate, 'utf8')}`);
  return { certificate, key, both };
}
