import type { ServerResponse } from 'node:http';
import { startProgram } from '../../../sandbox/program.ts';
import { startHttpServer, type HttpServer, type SeenRequest } from '../../support/http-server.ts';
import { readTopic } from '../../support/topic-reader.ts';

type Texts = Readonly<Record<string, string>>;

/** The output of one run of the program, by channel. */
export interface Written {
  readonly code: number | null;
  readonly texts: Readonly<Record<string, string>>;
}

/** A secret in every form that a program might write. */
function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, 'utf8');
  // Inside a longer text base64 starts at one of three offsets; its ends depend on the neighbours.
  const shifted = [0, 1, 2].flatMap((shift) => {
    const padded = Buffer.concat([Buffer.alloc(shift), bytes]);
    const inner = (text: string) => text.slice(Math.ceil((shift * 8) / 6) + 1, -4);
    return [inner(padded.toString('base64')), inner(padded.toString('base64url'))];
  });
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(encodeURIComponent(secret)),
    new URLSearchParams({ s: secret }).toString().slice(2),
    json,
    json.replaceAll('/', '\\/'),
    bytes.toString('hex'),
    ...shifted.filter((text) => text.length >= 8),
  ];
}

/** The found secrets by channel, as `stdout: the password`; an empty list is right. */
export function leaksIn({ texts }: Written, secrets: Texts): readonly string[] {
  return Object.entries(texts).flatMap(([place, text]) =>
    Object.entries(secrets)
      .filter(([, secret]) => spellings(secret).some((spelling) => text.includes(spelling)))
      .map(([name]) => `${place}: ${name}`),
  );
}

/** Runs `once` or `run` with only this environment, until it ends or `enough` is true. */
export async function collect(
  command: 'run' | 'once',
  env: Texts,
  enough: (lines: readonly string[]) => boolean = () => false,
): Promise<Written> {
  const lines: string[] = [];
  let stderr = '';
  const served = Promise.withResolvers<string>();
  const seen = Promise.withResolvers<undefined>();
  const program = startProgram({
    command,
    env: { HTTP_PORT: '0', LOG_LEVEL: 'trace', ...env },
    onLine: (line) => {
      lines.push(line);
      const { msg, url } = JSON.parse(line) as { msg?: string; url?: string };
      if (msg === 'http server listening') served.resolve(url ?? '');
      if (enough(lines)) seen.resolve(undefined);
    },
    onErrorText: (text) => {
      stderr += text;
    },
  });
  try {
    await Promise.race([program.ended, seen.promise]);
    const pages =
      command === 'run' ? await readPages(await served.promise, env['HTTP_TOKEN'] ?? '') : {};
    program.process.kill('SIGTERM');
    const code = await program.ended;
    return { code, texts: { stdout: lines.join('\n'), stderr, ...pages } };
  } finally {
    await program[Symbol.asyncDispose]();
  }
}

async function readPages(url: string, httpToken: string): Promise<Texts> {
  const paths = ['/', '/status', '/status/history', '/metrics', '/readyz', '/livez', '/nowhere'];
  const read = async (name: string, path: string, request: RequestInit) => {
    const response = await fetch(`${url}${path}`, request);
    const headers = JSON.stringify([...response.headers]);
    return [name, `${headers}\n${await response.text()}`] as const;
  };
  const order = (name: string, bearer: string) => {
    const headers = { authorization: `Bearer ${bearer}` };
    return read(name, '/streams/users/accounts/1/poll', { method: 'POST', headers });
  };
  return Object.fromEntries(
    await Promise.all([
      ...paths.map((path) => read(path, path, {})),
      order('an order', httpToken),
      order('an order that is refused', `${httpToken}x`),
    ]),
  );
}

/** Every committed record of some topics, with its key and headers, as text. */
export async function readRecords(broker: string, topics: readonly string[]): Promise<Texts> {
  const read = topics.map(async (topic) => {
    const records = await readTopic([broker], topic);
    const texts = records.map(({ key, value, headers }) =>
      [key, value?.toString('latin1') ?? '', JSON.stringify(headers)].join('\n'),
    );
    return [topic, texts.join('\n')] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

/** A proxy to the API whose answers repeat the secret in all parts of a body. */
export async function startTalkativeApi(
  target: string,
  { token, appSecret }: { readonly token: string; readonly appSecret: string },
): Promise<HttpServer> {
  const said = [
    `https://graph.facebook.com/v25.0/me?access_token=${encodeURIComponent(token)}`,
    `Authorization: Bearer ${token}`,
    token,
  ].join(' ');
  const complaint = `${said} client_secret=${appSecret}`;
  const answers: readonly (readonly [RegExp, number, string])[] = [
    [/\/stories$/, 200, JSON.stringify({ data: said })],
    [
      /\/media$/,
      500,
      JSON.stringify({ error: { message: complaint, type: 'OAuthException', code: 2 } }),
    ],
    [
      // A batch request, and single requests.
      /\/insights$|^\/v[\d.]+\/?$/,
      400,
      JSON.stringify({ error: { message: complaint, type: 'OAuthException', code: 100 } }),
    ],
  ];
  const forward = async (request: SeenRequest, response: ServerResponse): Promise<void> => {
    const replaced = answers.find(([pattern]) => pattern.test(request.path));
    const url = new URL(request.path, target);
    url.search = new URLSearchParams(request.query).toString();
    const authorization = request.headers.authorization ?? '';
    const answer = await fetch(url, { headers: { authorization } });
    const body = await answer.text();
    response.writeHead(replaced?.[1] ?? answer.status, { 'content-type': 'application/json' });
    response.end(
      replaced?.[2] ?? body.replace('"username"', `"biography":${JSON.stringify(said)},"username"`),
    );
  };
  return startHttpServer((request, response) => {
    void forward(request, response).catch(() => response.destroy());
  });
}
