import { constants } from 'node:fs';
import { access, chown, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { createProcessMember, type MemberProgram, runCommand } from '../cluster/child-process.ts';
import { findFreePorts } from '../cluster/free-port.ts';
import { startWatchdog } from '../cluster/watchdog.ts';

const DATABASE = 'instagram';

/** A PostgreSQL server of its own with an empty database; disposal stops it and removes its data. */
export interface Database extends AsyncDisposable {
  /** The settings of `psql` and of every client of libpq. */
  readonly env: Readonly<Record<string, string>>;
  /** Returns the rows of a query; times are texts. */
  query<Row>(sql: string): Promise<readonly Row[]>;
  /** Returns the rows of a query as a table for a person. */
  show(sql: string): Promise<string>;
}

/**
 * Finds the folder of PostgreSQL's server: on the PATH, or the newest version of Debian's package.
 *
 * @param debianRoot - folder of the versions, whose programs are not on the PATH
 * @throws Error with install instructions when there is none
 */
export async function findPostgres(
  env: NodeJS.ProcessEnv,
  debianRoot = '/usr/lib/postgresql',
): Promise<string> {
  const versions = await readdir(debianRoot).catch(() => []);
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a));
  const folders = [
    ...(env['PATH'] ?? '').split(delimiter),
    ...newestFirst.map((version) => join(debianRoot, version, 'bin')),
  ];
  for (const folder of folders) {
    const isThere = ['initdb', 'postgres'].map((name) =>
      access(join(folder, name), constants.X_OK),
    );
    if ((await Promise.allSettled(isThere)).every(({ status }) => status === 'fulfilled')) {
      return folder;
    }
  }
  throw new Error(
    'PostgreSQL is missing: apt-get install postgresql (Debian, Ubuntu), or put initdb and postgres on the PATH',
  );
}

/**
 * Starts PostgreSQL on a free port of 127.0.0.1, with data in a new temporary folder.
 *
 * @throws Error when PostgreSQL is missing or does not start (with the last lines of its log)
 */
export async function startDatabase(
  processEnv: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<Database> {
  const programs = await findPostgres(processEnv);
  const env = { ...processEnv, PATH: `${processEnv['PATH'] ?? ''}${delimiter}${programs}` };
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sandbox-postgres-'));
  const watchdog = stack.use(await startWatchdog(directory, env));
  const [port = 0] = await findFreePorts(1);
  const client = clientOf(port);
  const server = createProcessMember(
    {
      ...(await prepareServer({ programs, directory, port, env })),
      serves: () => serves({ ...env, ...client }),
    },
    watchdog,
    signal,
  );
  stack.defer(() => server.stop());
  await server.start();
  await run(['createdb', '--maintenance-db=postgres', DATABASE], { ...env, ...client });
  const owned = stack.move();
  return {
    ...createClient({ ...env, ...client }),
    env: client,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function clientOf(port: number): Readonly<Record<string, string>> {
  return {
    PGHOST: '127.0.0.1',
    PGPORT: String(port),
    PGUSER: DATABASE,
    PGDATABASE: DATABASE,
    // The server trusts every local client; the sink requires a password.
    PGPASSWORD: DATABASE,
  };
}

interface ServerOptions {
  /** Folder of PostgreSQL's programs. */
  readonly programs: string;
  readonly directory: string;
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
}

/** Creates the server's files and returns its command. */
async function prepareServer({
  programs,
  directory,
  port,
  env,
}: ServerOptions): Promise<Omit<MemberProgram, 'serves'>> {
  const data = join(directory, 'data');
  const asServer = await serverUser(directory, env);
  const cluster = ['-D', data, '-U', DATABASE, '-A', 'trust', '-E', 'UTF8', '--no-locale'];
  await run(asServer([join(programs, 'initdb'), ...cluster, '--no-sync']), env);
  const listen = ['-p', String(port), '-k', directory, '-c', 'listen_addresses=127.0.0.1'];
  const [command = '', ...args] = asServer([join(programs, 'postgres'), '-D', data, ...listen]);
  return {
    name: `PostgreSQL on 127.0.0.1:${port}`,
    command,
    args: () => [...args, '-c', 'fsync=off'],
    env,
    logFile: join(directory, 'postgres.log'),
  };
}

async function serves(env: NodeJS.ProcessEnv): Promise<boolean> {
  const { exitCode } = await runCommand('pg_isready', ['--quiet'], { env });
  return exitCode === 0;
}

/**
 * Returns a function that turns a command into one of the server's user: PostgreSQL refuses to run
 * as root, so root runs it as the user of Debian's package.
 */
async function serverUser(
  directory: string,
  env: NodeJS.ProcessEnv,
): Promise<(command: readonly string[]) => readonly string[]> {
  if (process.getuid?.() !== 0) return (command) => command;
  const ids = await Promise.all(['-u', '-g'].map((of) => run(['id', of, 'postgres'], env)));
  const [uid = 0, gid = 0] = ids.map(Number);
  await chown(directory, uid, gid);
  return (command) => ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...command];
}

function createClient(env: NodeJS.ProcessEnv): Pick<Database, 'query' | 'show'> {
  const psql = (args: readonly string[]): Promise<string> =>
    run(['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', ...args], env);
  return {
    async query<Row>(sql: string) {
      const all = `SELECT coalesce(json_agg(r), '[]') FROM (${sql}) AS r`;
      return JSON.parse(await psql(['-At', '-c', all])) as readonly Row[];
    },
    show: (sql) => psql(['-c', sql]),
  };
}

async function run(command: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const [name = '', ...args] = command;
  const { exitCode, output } = await runCommand(name, args, { env });
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${output.trim()}`);
  return output;
}
