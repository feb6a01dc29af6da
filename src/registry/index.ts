import type { Json } from '../engine/json.ts';
import { isShared, type TopicRole } from '../engine/stream-name.ts';
import type { Encoder, StateCodec } from '../engine/ports.ts';
import { call, type RegistryAddress } from './calls.ts';
import { openClient } from './client.ts';
import { levelWarning } from './compatibility-level.ts';
import {
  inspectSubject,
  checkCompatible,
  find,
  register,
  subjectSchema,
  type SubjectContext,
  type SubjectFinding,
  type SubjectSchema,
} from './subjects.ts';
import { readKeySchema, readSchema, type KeyFields, type TopicSchema } from './schemas.ts';
import { createStateCodec, createStateForm, type StateForm } from './state-codec.ts';
import { createJsonForm, createValueReader, type ValueReader } from './json-form.ts';
import { listVersions } from './subject-versions.ts';
import { createEncoder, splitWireValue } from './wire-format.ts';

export type { RegistryLogin } from './calls.ts';
export { schemaIdOf } from './wire-format.ts';
export { acceptsSchemas, type SubjectFinding } from './subjects.ts';
export type { FieldDifference } from './schema-compare.ts';
export type { ReadKey, ReadValue, ValueReader } from './json-form.ts';
export type { StateForm } from './state-codec.ts';

/** The registry's address and the rules of registration. */
export interface RegistryOptions extends RegistryAddress {
  /** The level of a new subject; an existing subject keeps its level. */
  readonly compatibility: string;
  /** `register` adds missing schemas; `verify` requires all of them. */
  readonly mode: 'register' | 'verify';
  readonly topicTemplate: string;
  readonly roles: readonly TopicRole[];
  readonly keyFields: KeyFields;
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
  /** Does the same for the subjects of an account, where it has its own. Throws as `prepare`. */
  prepareAccount(accountId: string, signal: AbortSignal): Promise<void>;
  /** False where the registry has no subject of the state topic: it is new, or lost its data. */
  hasStates(signal: AbortSignal): Promise<boolean>;
  /** Sends any request, to check that the registry is available and accepts the login. */
  ping(signal: AbortSignal): Promise<void>;
  /** Reads the registry's versions of each schema; changes nothing. */
  inspect(signal: AbortSignal, accountIds?: readonly string[]): Promise<readonly SubjectFinding[]>;
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
export function openLocalCodec(roles: readonly TopicRole[], keyFields: KeyFields = {}) {
  const { values: schemas, keys } = readSchemas({ roles, keyFields });
  return {
    /** Encodes with schema id 0: the schemas are not registered. */
    encoder: createEncoder(schemas, () => 0, keys),
    /** The JSON form of an encoded key. */
    keyToJson(role: TopicRole, key: Buffer): Json {
      const { type, text } = keys.get(role) ?? readKeySchema(role, []);
      return createJsonForm(text).write(type.fromBuffer(splitWireValue(key)?.body ?? key));
    },
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
  const { values: schemas, keys } = readSchemas(options);
  const subjects = createSubjects(options.topicTemplate, [...schemas.values(), ...keys.values()]);
  // A registry may give the subjects of one schema different ids.
  const ids = new Map<string, number>();
  const client = openClient(options);
  const idOf = (schema: TopicSchema, account?: string) => ids.get(subjects.place(schema, account));
  const stateSchema = schemas.get('state') ?? readSchema('state');
  const encoder = createEncoder(schemas, idOf, keys);
  const contextWith = (signal: AbortSignal) => ({ ...options, address: options, client, signal });
  const prepare = async (wanted: readonly SubjectSchema[], signal: AbortSignal): Promise<void> => {
    for (const { schema, id, ...level } of await prepareSubjects(wanted, contextWith(signal))) {
      ids.set(subjects.place(schema, schema.account), id);
      const warning = levelWarning(schema.subject, level, options.compatibility);
      if (warning !== null) log?.warn(warning.fields, warning.message);
    }
  };
  return {
    encoder,
    values: createValueReader(options),
    async hasStates(signal) {
      const { subject } = subjectSchema(stateSchema, options.topicTemplate);
      return ((await listVersions(subject, contextWith(signal))) ?? []).length > 0;
    },
    async ping(signal) {
      await call({ address: options, signal }, { method: 'get', path: '/schemas/types' });
    },
    inspect: (signal, accountIds = []) =>
      Promise.all(
        [...subjects.shared, ...accountIds.flatMap(subjects.of)].map((schema) =>
          inspectSubject(schema, contextWith(signal)),
        ),
      ),
    stateCodec: createStateCodec({
      address: options,
      client,
      ownId: () => idOf(stateSchema),
      readerType: stateSchema.type,
      encode: (value) => encoder.encode('state', value),
    }),
    prepare: (signal) => prepare(subjects.shared, signal),
    prepareAccount: (accountId, signal) => prepare(subjects.of(accountId), signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Reads the schemas of the topics' values, and of their keys where these are records. */
function readSchemas({ roles, keyFields }: Pick<RegistryOptions, 'roles' | 'keyFields'>) {
  return {
    values: new Map(roles.map((role) => [role, readSchema(role)])),
    keys: new Map(
      roles.flatMap((role) => {
        const fields = keyFields[role];
        return fields === undefined ? [] : [[role, readKeySchema(role, fields)] as const];
      }),
    ),
  };
}

/** The subjects of the topics that all accounts share, and those of one account. */
function createSubjects(topicTemplate: string, schemas: readonly TopicSchema[]) {
  const isOfAll = ({ role }: TopicSchema) => isShared(topicTemplate, role);
  const own = schemas.filter((schema) => !isOfAll(schema));
  return {
    shared: schemas.filter(isOfAll).map((schema) => subjectSchema(schema, topicTemplate)),
    of: (accountId: string): readonly SubjectSchema[] =>
      own.map((schema) => subjectSchema(schema, topicTemplate, accountId)),
    /** A text that identifies the subject of a schema, or of a schema and an account. */
    place: (schema: TopicSchema, accountId?: string | null): string => {
      const { role, part } = schema;
      return isOfAll(schema) ? `${part} ${role}` : `${part} ${role} ${accountId ?? ''}`;
    },
  };
}

/** Registers or verifies the schemas of subjects. Throws as `RegistryAdapter.prepare`. */
async function prepareSubjects(wanted: readonly SubjectSchema[], context: SubjectContext) {
  const isVerified = context.mode === 'verify';
  // All schemas are checked before the first is registered, so that a rejection leaves nothing
  // behind. In `verify` mode schemas are not compared, because that takes a write permission.
  const checked = await Promise.all(
    wanted.map(async (schema) => ({
      schema,
      versions: isVerified ? [] : await checkCompatible(schema, context),
    })),
  );
  const prepared = [];
  for (const { schema, versions } of checked) {
    const found = isVerified
      ? await find(schema, context)
      : await register(schema, versions, context);
    prepared.push({ schema, ...found });
  }
  return prepared;
}
