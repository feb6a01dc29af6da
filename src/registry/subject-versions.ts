import { isNode, type Json } from '../engine/json.ts';
import type { RegistryAddress } from './access.ts';
import { call, callUnlessDenied } from './calls.ts';
import { isEquivalent } from './schema-equivalence.ts';

/** The parameters of reading a subject. */
export interface ReadContext {
  readonly address: RegistryAddress;
  readonly signal: AbortSignal;
}

/** A version of a subject; a part that the registry did not send is undefined. */
export interface SubjectVersion {
  readonly id: number | undefined;
  /** Parsed; undefined also where it is not JSON, as a schema of Protocol Buffers. */
  readonly schema: Json | undefined;
}

/** The numbers of a subject's versions, the first one first; null when there is no such subject. */
export async function listVersions(
  subject: string,
  { address, signal }: ReadContext,
): Promise<readonly number[] | null> {
  const path = `${pathOf(subject)}/versions`;
  const { status, body } = await call(address, { method: 'get', path }, signal);
  if (status === 404) return null;
  if (!Array.isArray(body)) return [];
  const numbers = (body as readonly Json[]).filter((one) => typeof one === 'number');
  return numbers.toSorted((a, b) => a - b);
}

/** One version; its parts are undefined when there is none. */
export async function readVersion(
  subject: string,
  version: number | 'latest',
  { address, signal }: ReadContext,
): Promise<SubjectVersion> {
  const path = `${pathOf(subject)}/versions/${version}`;
  const { body } = await call(address, { method: 'get', path }, signal);
  if (!isNode(body)) return { id: undefined, schema: undefined };
  const { id, schema } = body;
  return { id: typeof id === 'number' ? id : undefined, schema: parse(schema) };
}

function parse(text: Json | undefined): Json | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/**
 * The id under which the registry finds this schema text in the subject; undefined when it does not, or
 * denies the search.
 */
export async function lookUp(
  subject: string,
  text: string,
  { address, signal }: ReadContext,
): Promise<number | undefined> {
  const request = { method: 'post', path: pathOf(subject), json: { schema: text } } as const;
  // A role that may only read is denied what is posted, this one too; the versions can be read.
  const { body, status } = await callUnlessDenied(address, request, signal);
  const id = isNode(body) ? body['id'] : undefined;
  return status === 200 && typeof id === 'number' ? id : undefined;
}

/** More are not read: a subject gets a version a release at most (Invariant 10). */
const mostVersionsRead = 100;

/**
 * As `lookUp`, and where that finds nothing, the id of the newest version with an equivalent schema.
 * Apicurio 2.6 compares the texts byte by byte, and a person who registers the file of a schema
 * sends other blanks than this program (Apicurio/apicurio-registry#7439, read in November 2026).
 */
export async function findEquivalent(
  subject: string,
  text: string,
  context: ReadContext,
): Promise<number | undefined> {
  const exact = await lookUp(subject, text, context);
  if (exact !== undefined) return exact;
  const wanted = JSON.parse(text) as Json;
  const numbers = (await listVersions(subject, context)) ?? [];
  for (const number of numbers.toReversed().slice(0, mostVersionsRead)) {
    const { id, schema } = await readVersion(subject, number, context);
    if (id !== undefined && schema !== undefined && isEquivalent(schema, wanted)) return id;
  }
  return undefined;
}

function pathOf(subject: string): string {
  return `/subjects/${encodeURIComponent(subject)}`;
}
