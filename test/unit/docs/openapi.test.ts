import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openCaptured, type Captured } from '../observability/captured-observability.ts';

interface Operation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, { readonly content?: Contents }>>;
}

type Contents = Readonly<Record<string, { readonly schema: Schema }>>;

interface Schema {
  readonly $ref?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
}

interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const file = new URL('../../../docs/openapi.json', import.meta.url);
const api = JSON.parse(readFileSync(file, 'utf8')) as OpenApi;
const methods = ['get', 'put', 'post'];
const operations = Object.entries(api.paths).flatMap(([path, item]) =>
  Object.entries(item)
    .filter(([method]) => methods.includes(method))
    .map(([method, operation]) => ({ path, method, operation })),
);

function resolved(schema: Schema | undefined): Schema {
  const name = schema?.$ref?.replace('#/components/schemas/', '');
  return (name === undefined ? schema : api.components.schemas[name]) ?? {};
}

function typeOf({ headers }: Response): string {
  return (headers.get('content-type') ?? '').split(';', 1)[0] ?? '';
}

/** The properties of a JSON body; none for another type. */
function namesIn(body: string, type: string): readonly string[] {
  return type === 'application/json' ? Object.keys(JSON.parse(body) as object) : [];
}

const token = 'the-token-of-an-operator';

describe('docs/openapi.json', () => {
  let open: Captured;
  let base = '';
  beforeAll(async () => {
    open = openCaptured({ http: { token: () => token } });
    base = (await open.listen())?.url ?? '';
  });
  afterAll(async () => {
    await open[Symbol.asyncDispose]();
  });

  const call = (path: string, method: string, init: RequestInit = {}) => {
    const filled = path.replace('{stream}', 'users').replace('{account}', '1');
    return fetch(base + filled, { method: method.toUpperCase(), ...init });
  };

  test.each(operations)(
    'describes the response of $method $path',
    async ({ path, method, operation }) => {
      const response = await call(path, method, {
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(operation.requestBody && { body: '{"level":"info"}' }),
      });

      const type = typeOf(response);
      const content = operation.responses[String(response.status)]?.content ?? {};
      expect(Object.keys(content)).toEqual([type]);
      const { required = [], properties = {} } = resolved(content[type]?.schema);
      const names = namesIn(await response.text(), type);
      expect(names).toEqual(expect.arrayContaining([...required]));
      expect(names.filter((name) => !(name in properties))).toEqual([]);
    },
  );

  test.each(operations)(
    'describes whether $method $path needs a token',
    async ({ path, method, operation }) => {
      const { status } = await call(path, method);

      expect(status === 401).toBe((operation.security ?? []).length > 0);
    },
  );

  test.each(Object.keys(api.paths))('lists every method of %s', async (path) => {
    const response = await call(path, 'delete');

    const allowed = response.headers.get('allow')?.toLowerCase().split(', ') ?? [];
    expect(response.status).toBe(405);
    expect(allowed.filter((method) => method !== 'head').sort()).toEqual(
      operations
        .filter((one) => one.path === path)
        .map(({ method }) => method)
        .sort(),
    );
  });

  test('refers only to existing schemas', () => {
    const named = [...JSON.stringify(api).matchAll(/#\/components\/schemas\/(\w+)/g)];

    const names = new Set(named.map(([, name = '']) => name));
    expect(names).toEqual(new Set(Object.keys(api.components.schemas)));
    expect(api.openapi).toBe('3.1.0');
  });
});
