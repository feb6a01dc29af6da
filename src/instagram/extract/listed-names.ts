import {
  type ClassifiedError,
  DeadLetterError,
  type ErrorCode,
  FailError,
  isClassifiedError,
  type Skipped,
} from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import { holds } from '../../engine/rejections.ts';
import type { Page } from '../../engine/source.ts';
import type { ExtractContext, Extraction } from './extraction.ts';

/** The time after which a rejected name is requested again. */
const rejectedMs = 24 * 3_600_000;

/** A part of the content of one name. */
export type NamePage = Pick<Page, 'nodes'> & Partial<Pick<Page, 'skipped' | 'rejected'>>;

interface NameReading {
  /** The listed names as the subjects of their rejections: `@name` or `#name`. */
  readonly subjects: readonly string[];
  readonly read: (subject: string) => AsyncIterable<NamePage>;
  /** The error code of a rejected name. */
  readonly reason: ErrorCode;
}

/**
 * Reads listed names one after another. A name that the API rejects is skipped by name, and requested
 * again a day later; so is a name with another error while others are answered.
 * @throws an error of every name as one that fails the poll; an error that is of no single name
 */
export async function* readNames(reading: NameReading, context: ExtractContext): Extraction {
  const { subjects, read, reason } = reading;
  const { checkpoint, nowMs } = context;
  const current = checkpoint.rejections.filter(
    (one) => subjects.includes(one.subject) && holds(one, nowMs),
  );
  const excluded = new Set(current.map(({ subject }) => subject));
  const failures: FailedName[] = [];
  let isAnswered = false;
  for (const subject of subjects.filter((one) => !excluded.has(one))) {
    try {
      for await (const page of read(subject)) {
        isAnswered = true;
        yield { skipped: [], ...page, coveredUntilMs: null };
      }
    } catch (error) {
      if (error instanceof DeadLetterError) {
        yield { nodes: [], skipped: [], rejected: [error], coveredUntilMs: null };
      } else if (mayBeOfName(error)) failures.push({ subject, error });
      else throw error;
    }
  }
  const isOfName = failures.some(({ error }) => error.code === reason);
  if (!isAnswered && !isOfName) throwFirst(failures);
  const added = failures.map(({ subject }) => ({ subject, reason }));
  const skipped: readonly Skipped[] = [...current, ...added].map((one) => ({
    subject: one.subject,
    reason: one.reason,
  }));
  const rejections = [
    ...current,
    ...failures.filter(isLasting).map(({ subject }) => rejectionOf(subject, reason, nowMs)),
  ];
  yield { nodes: [], skipped, coveredUntilMs: null, checkpointUpdate: { rejections } };
}

/** Sends a request of public content, which Meta counts by the platform limit. */
export function getPublic(
  request: Pick<GraphRequest, 'endpoint' | 'path' | 'query'>,
  { graph, account, signal }: ExtractContext,
): Promise<Node> {
  return graph.get({ ...request, accountId: account.id, limit: 'platform' }, signal);
}

interface FailedName {
  readonly subject: string;
  readonly error: ClassifiedError;
}

function rejectionOf(subject: string, reason: ErrorCode, nowMs: number) {
  return { subject, metric: null, reason, untilMs: nowMs + rejectedMs };
}

/** False for an error of Meta's server: the next poll requests the name again. */
function isLasting({ error }: FailedName): boolean {
  return error.disposition !== 'retry';
}

/** True for an error that may be of the name alone: neither a limit, a permission nor the network. */
function mayBeOfName(error: unknown): error is ClassifiedError {
  if (!isClassifiedError(error)) return false;
  const { disposition, code } = error;
  return disposition === 'skip' || code === 'graph.refused' || code === 'graph.server';
}

/** @throws the first error, if there is one; as an error that fails the poll, unless it is retried */
function throwFirst([first]: readonly FailedName[]): void {
  if (first === undefined) return;
  const { subject, error } = first;
  if (error.disposition === 'retry') throw error;
  throw new FailError(error.code, `${subject}: ${error.message}`, { cause: error });
}
