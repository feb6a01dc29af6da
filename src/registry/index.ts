import type { Json } from '../engine/json.ts';
import type { TopicRole } from '../engine/stream-name.ts';
import type { Encoder, StateCodec } from '../engine/ports.ts';
import { call, type RegistryAddress } from './calls.ts';
import { openClient } from './client.ts';
import { levelWarning } from './compatibility-level.ts';
import {
  inspectSubject,
  checkCompatible,
  find,
  readSubjectSchema,
  register,
  type SubjectFinding,
} from './subjects.ts';
import { readSchema } from './schemas.ts';
import { createStateCodec, createStateForm, type StateForm } from './state-codec.ts';
import { createJsonForm, createValueReader, type ValueReader } from './json-form.ts';
import { createEncoder, splitWireValue } from './wire-format.ts';

export type { RegistryLogin } from './calls.ts';
export { acceptsSchemas, type SubjectFinding } from './subjects.ts';
export type { FieldDifference } from './schema-compare.ts';
export type { ReadValue } from './json-form.ts';
export type { StateForm } from './state-codec.ts';

/** The registry's address and the rules of registration. */
export interface RegistryOptions extends RegistryAddress {
  /** The level of a new subject; an existing subject keeps its level. */
  readonly compatibility: string;
  /** `register` adds missing schemas; `verify` requires all of them. */
  readonly mode: 'register' | 'verify';
  readonly topicTemplate: string;
  readonly roles: readonly TopicRole[];
}

interface WarningLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface RegistryAdapter extends AsyncDisposable {
  /**
   * Checks every schema, then registers or verifies it, and keeps its id. Then publishing needs no
   * registry.
   * @throws StopProcessError `registry.incompatible`, `registry.missing`, `registry.rejected`,
   * `registry.unauthorized`; RetryError `registry.unavailable`
   */
  prepare(signal: AbortSignal): Promise<void>;
  /** Sends any request, to check that the registry is available and accepts the login. */
  ping(signal: AbortSignal): Promise<void>;
  /** Reads the registry's versions of each schema; changes nothing. */
  inspect(signal: AbortSignal): Promise<readonly SubjectFinding[]>;
  readonly encoder: Encoder;
  readonly stateCodec: StateCodec;
  /** Reads values of any writer; works without `prepare`. */
  readonly values: ValueReader;
}

/** The JSON form of states by this version's schema; needs no registry. */
export function openStateForm(): StateForm {
  return createStateForm(readSchema('state'));
}

/** Encodes and decodes records by this version's schemas; needs no registry. */
export type LocalCodec = ReturnType<typeof openLocalCodec>;

/** Creates a codec that reads `avro/` only. */
export function openLocalCodec(roles: readonly TopicRole[]) {
  const schemas = new Map(roles.map((role) => [role, readSchema(role)]));
  return {
    /** Encodes with schema id 0: the schemas are not registered. */
    encoder: createEncoder(schemas, new Map(roles.map((role) => [role, 0]))),
    /** The JSON form of an encoded value: times as texts, bytes as base64. */
    toJson(role: TopicRole, value: Buffer): Json {
      const { type, text } = schemas.get(role) ?? readSchema(role);
      const body = splitWireValue(value)?.body ?? Buffer.alloc(0);
      return createJsonForm(text).write(type.fromBuffer(body));
    },
  };
}

/** Opens the registry adapter; it connects with `prepare`. */
export function openRegistry(
  options: RegistryOptions,
  { log }: { readonly log?: WarningLog } = {},
): RegistryAdapter {
  const { roles, topicTemplate } = options;
  const schemas = new Map(roles.map((role) => [role, readSubjectSchema(role, topicTemplate)]));
  const all = [...schemas.values()];
  const ids = new Map<TopicRole, number>();
  const client = openClient(options);
  const encoder = createEncoder(schemas, ids);
  const contextWith = (signal: AbortSignal) => ({ ...options, address: options, client, signal });
  return {
    encoder,
    values: createValueReader(options),
    async ping(signal) {
      await call({ address: options, signal }, { method: 'get', path: '/schemas/types' });
    },
    inspect: (signal) =>
      Promise.all(all.map((schema) => inspectSubject(schema, contextWith(signal)))),
    stateCodec: createStateCodec({
      address: options,
      client,
      ownId: () => ids.get('state'),
      readerType: (schemas.get('state') ?? readSchema('state')).type,
      encode: (value) => encoder.encode('state', value),
    }),
    async prepare(signal) {
      const context = contextWith(signal);
      const isVerified = options.mode === 'verify';
      // All schemas are checked before the first is registered, so that a rejection leaves nothing
      // behind. In `verify` mode schemas are not compared, because that takes a write permission.
      const checked = await Promise.all(
        all.map(async (schema) => ({
          schema,
          versions: isVerified ? [] : await checkCompatible(schema, context),
        })),
      );
      for (const { schema, versions } of checked) {
        const { id, ...level } = isVerified
          ? await find(schema, context)
          : await register(schema, versions, context);
        ids.set(schema.role, id);
        const warning = levelWarning(schema.subject, level, options.compatibility);
        if (warning !== null) log?.warn(warning.fields, warning.message);
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
